"""Which pictures are opened at all, known without torch."""

MAX_PIXELS = 64_000_000
# not EPS, for which Pillow starts Ghostscript on what a stranger wrote, nor formats that nobody keeps photos in (JPEG covers MPO)
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "DIB", "PPM", "TIFF", "AVIF", "JPEG2000", "ICO", "PCX", "QOI", "SGI", "TGA")

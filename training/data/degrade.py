"""Small versions of pictures, as varied as those that a network for enlargement will meet."""

import io

import numpy as np
from PIL import Image

KERNELS = (Image.Resampling.BOX, Image.Resampling.HAMMING, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)
SELDOM = 0.15  # share of the pictures that are compressed, and of those that are noisy
QUALITY = (85, 98)  # of JPEG
NOISE = (0.5, 2.0)  # standard deviation, in grey levels


def shrunk(picture: np.ndarray, scale: int, rng: np.random.Generator) -> np.ndarray:
    """`picture`, uint8 (H, W, 3), at 1 / `scale` of its size, by one of several kernels; some with JPEG artefacts, some noisy."""
    height, width = (side // scale for side in picture.shape[:2])
    small = Image.fromarray(picture).resize((width, height), KERNELS[rng.integers(len(KERNELS))])
    if rng.random() < SELDOM:
        file = io.BytesIO()
        small.save(file, "JPEG", quality=int(rng.integers(QUALITY[0], QUALITY[1] + 1)))
        small = Image.open(file)
    pixels = np.asarray(small)
    if rng.random() < SELDOM:
        noise = rng.normal(0, rng.uniform(*NOISE), pixels.shape)
        pixels = (pixels + noise).round().clip(0, 255).astype(np.uint8)
    return pixels

"""Words of the frame."""

WORDS = {
    "page_header": (
        "# Turn your photo into a painting",
        "# 让照片变成名画",
    ),
    "page_privacy": (
        "Photos are painted on the machine that serves this page, shared with nobody, and deleted after an hour.",
        "照片只在提供本页面的机器上处理，不会与任何人共享，一小时后删除。",
    ),
    "page_stylise": ("Stylise", "风格化"),
    "page_create": ("Create", "生成"),
    "page_compare": ("Compare", "对比"),
    "page_models": ("Models", "模型"),
    "page_unreadable": (
        "That file is not a picture this app can read. Try a JPEG, PNG or WebP.",
        "无法读取该图片，请换用 JPEG、PNG 或 WebP 文件。",
    ),
    "page_too_large": ("That picture is too large.", "图片太大。"),
    "page_too_many_pixels": (
        "That picture is too large: {width} x {height} pixels.",
        "图片太大：{width} x {height} 像素。",
    ),
}

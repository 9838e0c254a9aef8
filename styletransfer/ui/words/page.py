"""Words of the frame."""

WORDS = {
    "page_header": (
        "# Turn your photo into a painting",
        "# 让照片变成名画",
    ),
    "page_privacy": (
        "Photos are painted on the machine that serves this page, sent to no other, and deleted from it within an hour.",
        "照片只在提供本页面的机器上处理，不会发送到其他机器，并在一小时内从本机删除。",
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
    "page_too_many_bytes": ("That file is too large: at most {most} MB can be sent.", "文件太大：最多可发送 {most} MB。"),
    "page_no_length": ("A request has to say its length.", "请求必须注明长度。"),
    "page_full": (
        "This page has no room for more files at present; try again in some minutes.",
        "本页面暂时没有空间存放更多文件，请几分钟后再试。",
    ),
    "page_too_many_jobs": (
        "{most} of your requests are waiting already; try again when they are done.",
        "您已有 {most} 个请求在排队，请等它们完成后再试。",
    ),
}

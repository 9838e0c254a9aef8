"""Words of the Compare tab."""

WORDS = {
    "compare_photo": ("Photo", "照片"),
    "compare_placeholder": (
        "Drop a photo here. Without one, that of the tab Stylise is used.",
        "将照片拖到这里。不放则使用“风格化”页的照片。",
    ),
    "compare_package": ("Styles of", "风格来自"),
    "compare_all": ("All models", "所有模型"),
    "compare_strengths": ("Strengths", "强度"),
    "compare_start": ("Compare", "开始对比"),
    "compare_stop": ("Stop", "停止"),
    "compare_sheet": ("Every style at once", "所有风格一览"),
    "compare_waiting": ("Every style of your photo appears here", "照片的所有风格会显示在这里"),
    "compare_hint": ("Your photo in every style, on one sheet.", "把一张照片的所有风格放在同一张图上。"),
    "compare_png": ("Download PNG", "下载 PNG"),
    "compare_jpeg": ("Download JPEG", "下载 JPEG"),
    "compare_no_photo": ("Add a photo first.", "请先添加照片。"),
    "compare_no_strength": ("Choose at least one strength.", "请至少选择一个强度。"),
    "compare_too_many": (
        "These would be {count} pictures; {most} fit on a sheet. Choose fewer strengths, or one model.",
        "共 {count} 张图片，而一张图最多容纳 {most} 张。请减少强度，或只选一个模型。",
    ),
    "compare_empty": (
        "There is no model for photos here yet. Load one in the tab *Models*.",
        "这里还没有可处理照片的模型。请在“模型”页加载一个。",
    ),
}

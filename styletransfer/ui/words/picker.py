"""Words about packages that are picked from a menu."""

WORDS = {
    "picker_gone": ("The model {name} is not here any more. Reload the page.", "模型 {name} 已不存在，请刷新页面。"),
    "picker_broken": (
        "The model {name} cannot be used: its files are not what they should be.",
        "模型 {name} 无法使用：文件有误。",
    ),
}

"""Words of the Create tab."""

WORDS = {
    "create_package": ("Model", "模型"),
    "create_truncation": ("Variety", "变化幅度"),
    "create_grid": ("Pick one", "选一张"),
    "create_dice": ("Other pictures", "换一批"),
    "create_picture": ("Your picture", "你的图片"),
    "create_seed": ("Seed", "种子"),
    "create_download": ("Download", "下载"),
    "create_strip": ("From one picture to yours", "渐变到你的图片"),
    "create_other": ("From seed", "起始种子"),
    "create_strip_download": ("Download the strip", "下载渐变图"),
    "create_empty": (
        "### Pictures out of nothing\n"
        "There is no model here yet that makes pictures from noise. Load one in the tab *Models*, or train your own:\n"
        "```\npython -m training r3gan --data.folder PICTURES --minutes 240 --out runs/mine\n"
        "python app.py --package runs/mine/pipeline\n```\n"
        "`PICTURES` is a folder of pictures of one kind: faces, flowers, album covers. A few hundred are a good start.",
        "### 无中生有\n"
        "这里还没有能从噪声生成图片的模型。可以在“模型”页加载一个，或自己训练：\n"
        "```\npython -m training r3gan --data.folder PICTURES --minutes 240 --out runs/mine\n"
        "python app.py --package runs/mine/pipeline\n```\n"
        "`PICTURES` 是一个装有同类图片的文件夹，例如人脸、花卉或唱片封面，几百张即可开始。",
    ),
}

"""Pictures as files that the page serves, under the names that they have among people's downloads."""

import io
import tempfile
from pathlib import Path

from gradio.processing_utils import hash_bytes
from gradio.utils import get_upload_folder
from PIL import Image

DOWNLOAD = """(file) => {
    if (!file) return;
    const link = document.createElement("a");
    link.href = file.url;
    link.download = file.orig_name;
    link.click();
}"""


def save(picture: Image.Image, name: str) -> str:
    """Path of `picture` in a file called `name`, whose ending says the format; it is deleted after an hour like an upload.

    Equal pictures are one file. It appears in one piece: Gradio's own functions would empty it while somebody else is reading it.
    """
    data = io.BytesIO()
    kind = "png" if name.endswith(".png") else "jpeg"
    picture.save(data, kind, quality=92, subsampling=0, icc_profile=picture.info.get("icc_profile"))
    path = Path(get_upload_folder(), hash_bytes(data.getvalue()), Path(name).name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(data.getvalue())
    Path(file.name).replace(path)
    return str(path.resolve())

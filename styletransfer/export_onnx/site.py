"""The static page beside the ONNX files: its HTML and scripts, the runtime, samples, and the card that makes it a Space."""

import json
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import yaml

from styletransfer.catalog import Package

PAGE = Path(__file__).parent / "page"
RUNTIME = "onnxruntime-web@1.30.0"
RUNTIME_FILES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
# browsers run WebAssembly in several threads only in pages that come with these
HEADERS = {"cross-origin-embedder-policy": "require-corp", "cross-origin-opener-policy": "same-origin"}


def write_runtime(source: Path | None, folder: Path) -> None:
    """Copy onnxruntime-web from the folder of its npm package, or fetch it with npm.

    Raises:
        OSError: where it is not there, with what to do about it.
    """
    if source is not None:
        missing = [name for name in RUNTIME_FILES if not (source / "dist" / name).is_file()]
        if missing:
            raise FileNotFoundError(f"{source} is not the folder of onnxruntime-web: it has no dist/{missing[0]}")
        files = {name: (source / "dist" / name).read_bytes() for name in RUNTIME_FILES}
    else:
        files = fetch_runtime()
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def fetch_runtime() -> dict[str, bytes]:
    """The files of onnxruntime-web. npm takes them from its own cache where it has them."""
    advice = f"run `npm install {RUNTIME}` where there is a network and give its folder with --runtime, or leave the page out"
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError(f"the page needs onnxruntime-web, and there is no npm to fetch it: {advice}")
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", "--prefer-offline", "--silent", "--pack-destination", folder, RUNTIME]
        if subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
            raise OSError(f"npm could not fetch {RUNTIME}: {advice}")
        (path,) = Path(folder).glob("*.tgz")
        with tarfile.open(path) as archive:
            return {name: archive.extractfile(f"package/dist/{name}").read() for name in RUNTIME_FILES}


def write_site(package: Package, folder: Path) -> None:
    """Write the page, the package's sample pictures, and a card: pushed to the Hub as it is, `folder` is a static Space."""
    shutil.copytree(PAGE, folder, dirs_exist_ok=True)
    shutil.rmtree(folder / "samples", ignore_errors=True)
    (folder / "samples").mkdir()
    shown = {f"{style}.jpg" for style in package.styles}
    samples = [path for path in package.samples if path.name in shown or path.name.startswith("photo-")]
    for path in samples:
        shutil.copyfile(path, folder / "samples" / path.name)
    site = {"title": package.title, "samples": [path.name for path in samples]}
    (folder / "site.json").write_text(json.dumps(site) + "\n", encoding="utf-8")
    card = {"title": package.title, "sdk": "static", "license": package.card.get("license"), "custom_headers": HEADERS}
    card = yaml.safe_dump({name: value for name, value in card.items() if value}, allow_unicode=True, sort_keys=False)
    (folder / "README.md").write_text(f"---\n{card}---\n\nPhotos become paintings in the browser. They stay on the device.\n")

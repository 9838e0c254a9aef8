"""The web demo, and the entry point of its Space: `python app.py`, then open the address it prints."""

import argparse
import os
import sys
import threading
from pathlib import Path

import styletransfer

parser = argparse.ArgumentParser(description="Turn photos into paintings, on a web page.")
parser.add_argument(
    "--package", help="a package folder, the name of one in model_cards/, or a Hub id; all of model_cards/ by default"
)
parser.add_argument("--host", help="address to listen on, 0.0.0.0 for every network; this computer only by default")
parser.add_argument("--port", type=int, help="the first free one from 7860 by default")
parser.add_argument("--share", action="store_true", help="also open a public address through Gradio's servers")
parser.add_argument("--offline", action="store_true", help="never reach for the Hub, use what was downloaded before")


def find_packages(name: str | None) -> list:
    from styletransfer.catalog import MODEL_CARDS, REPOSITORY, find_package, list_packages, read_package

    if name is None:
        return list_packages(REPOSITORY / MODEL_CARDS)
    found = find_package(name)
    if not isinstance(found, Path):
        if "/" not in found:
            raise FileNotFoundError(f"{found} is neither a folder, nor one in {MODEL_CARDS}/, nor a Hub id such as user/name")
        from styletransfer.pipelines.loading import fetch  # a Hub id

        found = fetch(found)
    return [read_package(found)]


def warm_up(catalog: list, load) -> None:
    """Load the first package and paint once, so that the first visitor need not wait for it."""
    from PIL import Image

    try:
        for package in [package for package in catalog if package.styles][:1]:
            load(package.path)(Image.new("RGB", (64, 64)), style=package.styles[0])
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    options = parser.parse_args()
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    if options.offline:
        os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        catalog = find_packages(options.package)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    from styletransfer import ui

    load = ui.keep_loaded(lambda path: styletransfer.load_pipeline(path))  # torch is not imported before the page is up
    demo = ui.build_app(catalog, load)
    address = {"server_name": options.host, "server_port": options.port, "share": options.share}
    try:
        _, url, shared = demo.launch(**address, **ui.LAUNCH_OPTIONS, prevent_thread_lock=True, quiet=True)
    except OSError:
        parser.error(f"port {options.port} is taken" if options.port else "no port from 7860 on is free; choose one by --port")
    print(f"Style Transfer is at {shared or url}", flush=True)
    threading.Thread(target=warm_up, args=(catalog, load), daemon=True).start()
    demo.block_thread()

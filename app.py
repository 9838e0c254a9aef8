"""The web demo, and the entry point of its Space: `python app.py`, then open the address it prints."""

import argparse
import contextlib
import ctypes
import os
import signal
import sys
import threading
from importlib.util import find_spec
from pathlib import Path

import styletransfer
from styletransfer.limited import start_server
from styletransfer.temporary import PageFolder


def port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65_535:
        raise argparse.ArgumentTypeError(f"must be a number from 1 to 65535, got {text!r}")
    return int(text)


parser = argparse.ArgumentParser(description="Turn photos into paintings, on a web page.")
parser.add_argument(
    "--package", help="a package folder, the name of one in model_cards/, or a Hub id; all of model_cards/ by default"
)
parser.add_argument("--host", help="address to listen on, 0.0.0.0 for every network; this computer only by default")
parser.add_argument("--port", type=port, help="the first free one from 7860 by default")
parser.add_argument("--share", action="store_true", help="also open a public address through Gradio's servers")
parser.add_argument("--offline", action="store_true", help="never reach for the Hub, use what was downloaded before")
parser.add_argument("--mcp", action="store_true", help="also be a tool of agents (MCP); needs: pip install 'gradio[mcp]'")

# Two paintings at once on two cores: while one is being decoded or sent, the network paints the other. Twenty visitors find room.
QUEUE = {"default_concurrency_limit": 2, "max_size": 100}


LOCAL = ("127.0.0.1", "localhost")
M_ARENA_MAX = -8  # of glibc's malloc.h


def guards(host: str | None, share: bool, folder: PageFolder) -> list:
    """What a request passes first: the budget of `folder`, and names of this computer alone where it listens to no other.

    A page elsewhere may have pointed another name here.
    """
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from styletransfer.ui.limits import Quota

    open_to_others = share or "SPACE_ID" in os.environ or host not in (None, *LOCAL)
    names = [] if open_to_others else [Middleware(TrustedHostMiddleware, allowed_hosts=[*LOCAL])]
    return [*names, Middleware(Quota, folder=folder)]


def share_heaps() -> None:
    """Let all threads use two heaps: glibc gives each thread its own, and keeps in it what a painting has freed.

    After some hundred paintings that is 300 MB that nobody uses.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):  # another C library than glibc
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


def find_packages(name: str | None) -> list:
    from styletransfer.catalog import MODEL_CARDS, REPOSITORY, find_package, list_packages, read_front_matter, read_package

    if name is None:
        # a Space made from packages of the Hub names them in its card, and the Hub puts them into its cache beforehand
        preloaded = read_front_matter(REPOSITORY / "README.md").get("preload_from_hub", [])
        return [*list_packages(REPOSITORY / MODEL_CARDS), *map(fetch_package, preloaded)]
    found = find_package(name)
    if isinstance(found, Path):
        return [read_package(found)]
    if "/" not in found:
        raise FileNotFoundError(f"{found} is neither a folder, nor one in {MODEL_CARDS}/, nor a Hub id such as user/name")
    return [fetch_package(found)]


def fetch_package(name: str):
    """The package of the Hub whose id is `name`."""
    from styletransfer.catalog import read_package
    from styletransfer.pipelines.loading import fetch  # costs torch

    return read_package(fetch(name), name)


def warm_up(catalog: list, load) -> None:
    """Load the first package and paint once, so that the first visitor need not wait for it.

    Then start what opens the packages that visitors bring along.
    """
    from PIL import Image

    try:
        for package in [package for package in catalog if package.looks][:1]:
            load(package.path)(Image.new("RGB", (64, 64)), style=package.looks[0])
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
    start_server()


def serve(options: argparse.Namespace, folder: PageFolder) -> None:
    """Show the page until somebody ends it; its files lie in `folder`."""
    try:
        catalog = find_packages(options.package)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    if options.mcp and find_spec("mcp") is None:
        parser.error("--mcp needs one more package: pip install 'gradio[mcp]'")
    from styletransfer import ui
    from styletransfer.ui.zero_gpu import lend_gpu

    own = [package.path for package in catalog]
    load = lend_gpu(ui.keep_loaded(lambda path: styletransfer.load_pipeline(path), own))  # no torch before the page is up
    demo = ui.build_app(catalog, load).queue(**QUEUE)
    folder.keep()  # the example photos
    guard = {"middleware": guards(options.host or os.environ.get("GRADIO_SERVER_NAME"), options.share, folder)}
    address = {"server_name": options.host, "server_port": options.port, "share": options.share}
    try:
        launched = demo.launch(
            **address, **ui.LAUNCH_OPTIONS, app_kwargs=guard, mcp_server=options.mcp, prevent_thread_lock=True, quiet=True
        )
    except OSError:
        parser.error(f"port {options.port} is taken" if options.port else "no port from 7860 on is free; choose one by --port")
    except ValueError as error:  # the page does not answer this computer itself
        parser.error(str(error))
    _, url, shared = launched
    print(f"Style Transfer is at {shared or url}", flush=True)
    if options.mcp:
        print(f"Agents find its tools at {url}gradio_api/mcp/", flush=True)
    threading.Thread(target=warm_up, args=(catalog, load), daemon=True).start()
    demo.block_thread()


if __name__ == "__main__":
    options = parser.parse_args()
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    if options.offline:
        os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        folder = PageFolder.make(os.environ.get("GRADIO_TEMP_DIR"))
    except OSError as error:
        parser.error(str(error))
    share_heaps()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # out of the block below, which removes the folder
    with folder:
        if os.environ.get("SPACES_ZERO_GPU"):
            import spaces  # noqa: F401  has to come before torch
        serve(options, folder)

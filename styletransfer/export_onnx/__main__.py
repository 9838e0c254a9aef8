"""`python -m styletransfer.export_onnx -o DIR`: a package in, ONNX files and a page that needs no server out."""

import argparse
import sys
from pathlib import Path

from styletransfer.__main__ import local
from styletransfer.catalog import find_package
from styletransfer.command import answered
from styletransfer.export_onnx.site import write_runtime, write_site


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m styletransfer.export_onnx",
        description="Write a painter as stylizer.onnx, encoder.onnx and styles.json, with a static page that paints in the "
        "browser: photos stay on the device. With --no-page any other network for photos, as translator.onnx and styles.json.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("package", nargs="?", metavar="PACKAGE", help="folder or Hub id (default: $STYLETRANSFER_PACKAGE, or painter)")
    add("-o", "--out", type=Path, required=True, metavar="DIR", help="folder to write to")
    add(
        "--runtime",
        type=Path,
        metavar="DIR",
        help="folder of the npm package onnxruntime-web (default: npm fetches it)",
    )
    add("--no-page", action="store_true", help="only the ONNX files and styles.json")
    return parser


def main(arguments: list[str] | None = None) -> int:
    options = build_parser().parse_args(arguments)
    return answered(lambda: work(options))


def work(options: argparse.Namespace) -> None:
    package = local(find_package(options.package))
    if not options.no_page:
        if not package.task.any_painting:
            raise ValueError(f"the page is for painters, and {package.name} is none; --no-page writes what can be exported of it")
        # first what can be missing, then the seconds of the export
        write_runtime(options.runtime, options.out / "onnxruntime")

    from styletransfer.export_onnx.networks import export

    export(package, options.out)
    if not options.no_page:
        write_site(package, options.out)
    print(options.out if options.no_page else f"{options.out}: see it with `python -m http.server -d {options.out}`")


if __name__ == "__main__":
    sys.exit(main())

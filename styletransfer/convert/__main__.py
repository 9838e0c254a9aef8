"""`python -m styletransfer.convert latest_net_G.pth -o DIR`: a published checkpoint in, a package out."""

import argparse
import sys
from pathlib import Path

from styletransfer.command import answered
from styletransfer.convert.kinds import KINDS


def build_parser() -> argparse.ArgumentParser:
    kinds = "\n".join(f"  {name:18} {kind.title}" for name, kind in KINDS.items())
    parser = argparse.ArgumentParser(
        prog="python -m styletransfer.convert",
        description="Turn a published checkpoint into a package that load_pipeline opens. Weights alone are read, never code.",
        epilog=f"kinds:\n{kinds}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="checkpoint of a generator: .pth, .pt, .model or .safetensors")
    add("-o", "--out", type=Path, required=True, metavar="DIR", help="folder of the package; replaced if it is one")
    add("--kind", choices=KINDS, metavar="KIND", help="what it is (default: found out by the names of its tensors)")
    add("--title", help="what to call it (default: the name of the folder)")
    add(
        "--image-statistics",
        action="store_true",
        help="pix2pix: normalise each picture by its own statistics, as the paper and the published test script do, "
        "in place of the running ones",
    )
    return parser


def main(arguments: list[str] | None = None) -> int:
    options = build_parser().parse_args(arguments)
    return answered(lambda: work(options))


def work(options: argparse.Namespace) -> None:
    if not options.file.is_file():
        raise FileNotFoundError(f"{options.file} does not exist")
    from styletransfer.convert.checkpoint import convert

    pipeline = convert(options.file, options.out, options.kind, options.image_statistics, options.title)
    print(f"{options.out}: {type(pipeline.translator).__name__}")


if __name__ == "__main__":
    sys.exit(main())

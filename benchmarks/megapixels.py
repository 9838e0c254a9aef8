"""Seconds and peak memory from a photo to its painting, PIL to PIL, with strokes of one size at every resolution.

    python -m benchmarks.megapixels model_cards/painter --megapixels 1 3 12 --repeats 3

Each size runs in a fresh process. TransformerNet (fast-neural-style) stands beside it, painting the whole photo at once.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmarks.machine import largest_resident_mib, machine
from styletransfer import load_pipeline
from styletransfer.images import to_pil, to_tensor
from styletransfer.models.transformer_net import TransformerNet
from training.evaluate.report import markdown

RESULTS = Path(__file__).parent / "results" / "megapixels.json"
RATIO = 4 / 3


def photo(megapixels: float) -> Image.Image:
    """A picture with structure at every scale, 4:3."""
    height = round((megapixels * 1e6 / RATIO) ** 0.5)
    size = (round(height * RATIO), height)
    random = np.random.default_rng(0)
    coarse = Image.fromarray(random.integers(0, 256, (48, 64, 3), dtype=np.uint8)).resize(size, Image.Resampling.BICUBIC)
    fine = Image.effect_noise(size, 40).convert("RGB")
    return Image.blend(coarse, fine, 0.2)


@torch.no_grad()
def measure(network: str, package: str, megapixels: float, repeats: int) -> dict[str, float]:
    image = photo(megapixels)
    if network == "painter":
        pipe = load_pipeline(package)
        style = pipe.styles[0] if pipe.styles else pipe.encode_style(photo(0.2))
        paint = lambda: pipe(image, style).images[0]  # noqa: E731
    else:
        transformer = TransformerNet().eval()
        paint = lambda: to_pil(transformer(to_tensor(image)).clamp(-1, 1))  # noqa: E731
    before = largest_resident_mib()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        paint()
        times.append(time.perf_counter() - start)
    return {"seconds": statistics.median(times), "peak_mib": largest_resident_mib() - before}


def report(found: dict) -> str:
    """What was measured on, and the table of a file of results."""
    facts = found["machine"]
    rows = [
        [f"{row['megapixels']:g}", row["network"], f"{row['seconds']:.2f}", f"{row['peak_mib']:.0f}"] for row in found["results"]
    ]
    head = f"{facts['cpu']}, {facts['threads']} threads, torch {facts['torch']}, median of {facts['repeats']}"
    return f"{head}\n\n{markdown(['megapixels', 'network', 'seconds', 'peak MiB'], rows, words=2)}"


def main() -> None:
    summary, _, details = __doc__.partition("\n")
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.megapixels",
        description=summary,
        epilog=details,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("package", nargs="?", default="model_cards/painter", help="folder or Hub id of a painter")
    parser.add_argument("--megapixels", type=float, nargs="+", default=[1, 3, 12], help="sizes of the photo")
    parser.add_argument("--repeats", type=int, default=3, help="timed pictures of each size; the median counts")
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON file with the results")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.package, options.megapixels[0], options.repeats)))
        return
    rows = []
    for megapixels in options.megapixels:
        for network in ("painter", "TransformerNet"):
            command = [sys.executable, "-m", "benchmarks.megapixels", options.package, "--one", network]
            command += ["--megapixels", str(megapixels), "--repeats", str(options.repeats)]
            result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
            rows.append({"megapixels": megapixels, "network": network} | result)
    found = {"machine": machine() | {"repeats": options.repeats}, "results": rows}
    print(report(found))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()

"""Milliseconds and peak memory of one picture: StyleGenerator next to the networks that people would run otherwise.

    python -m benchmarks.inference --sizes 256 512 1024 --repeats 15

The networks take turns, so that a noisy machine disturbs all alike, and the median counts. Peak memory is measured in a fresh
process for each network and size: the largest resident size while painting, minus that before the first picture.
"""

import argparse
import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.machine import largest_resident_mib, machine
from styletransfer.models.resnet_generator import ResnetGenerator
from styletransfer.models.style_generator import StyleGenerator
from styletransfer.models.transformer_net import TransformerNet
from training.evaluate.report import markdown

RESULTS = Path(__file__).parent / "results" / "inference.json"
NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "StyleGenerator": StyleGenerator,
    "TransformerNet": TransformerNet,
    "CycleGAN ResNet-9": lambda: ResnetGenerator(num_blocks=9, upsample="transposed"),
}


def prepare(name: str, size: int) -> tuple[nn.Module, tuple[Tensor, ...]]:
    torch.manual_seed(0)
    network = NETWORKS[name]().eval().requires_grad_(False)
    image = torch.rand(1, 3, size, size) * 2 - 1
    return network, (image, torch.randn(1, network.config.code_size)) if name == "StyleGenerator" else (image,)


def milliseconds(size: int, repeats: int) -> dict[str, float]:
    """Median time of one picture for each network."""
    prepared = {name: prepare(name, size) for name in NETWORKS}
    times = {name: [] for name in NETWORKS}
    for repeat in range(repeats + 2):
        for name, (network, inputs) in prepared.items():
            start = time.perf_counter()
            network(*inputs)
            if repeat >= 2:  # the first two warm up
                times[name].append((time.perf_counter() - start) * 1000)
    return {name: statistics.median(taken) for name, taken in times.items()}


def print_peak_memory(name: str, size: int) -> None:
    """MiB that painting adds to this process, which must be fresh: memory that was freed before would be used again unseen."""
    network, inputs = prepare(name, size)
    gc.collect()
    reset = Path("/proc/self/clear_refs")
    if reset.exists():
        reset.write_text("5")  # the largest resident size starts again from the current one
    before = largest_resident_mib()
    for _ in range(3):
        network(*inputs)
    print(largest_resident_mib() - before)


def peak_memory(name: str, size: int, threads: int) -> float:
    command = [sys.executable, "-m", "benchmarks.inference", "--threads", str(threads), "--peak-memory", name, str(size)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def size_of(name: str) -> dict[str, float]:
    network, inputs = prepare(name, 256)
    with FlopCounterMode(display=False) as counter:
        network(*inputs)
    return {
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "gmac_256": counter.get_total_flops() / 2e9,
    }


def table(results: list[dict]) -> str:
    lines = []
    for result in results:
        ours = next(other for other in results if other["size"] == result["size"])
        time = [f"{result['milliseconds']:.0f}", f"{result['milliseconds'] / ours['milliseconds']:.1f}"]
        memory = [f"{result['peak_mib']:.0f}", f"{result['peak_mib'] / max(ours['peak_mib'], 1):.1f}"]
        lines.append([str(result["size"]), result["network"], *time, *memory])
    return markdown(["pixels", "network", "ms", "times ours", "peak MiB", "times ours"], lines, words=2)


def report(found: dict) -> str:
    """What was measured on, the networks, and the table of a file of results."""
    facts = found["machine"]
    networks = [
        f"- {name}: {size['parameters'] / 1e6:.2f} M parameters, {size['gmac_256']:.1f} GMAC at 256 px"
        for name, size in found["networks"].items()
    ]
    head = f"{facts['cpu']}, {facts['threads']} threads, torch {facts['torch']}, median of {facts['repeats']}"
    return "\n".join([head, "", *networks, "", table(found["results"])])


def main() -> None:
    summary, _, details = __doc__.partition("\n")
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.inference",
        description=summary,
        epilog=details,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024], help="side of the square picture in pixels")
    parser.add_argument("--repeats", type=int, default=15, help="timed pictures for each network and size")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="CPU threads")
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON file with the results")
    parser.add_argument("--peak-memory", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if min(*arguments.sizes, arguments.repeats * 16, arguments.threads * 16) < 16:
        parser.error("sizes start at 16 pixels, repeats and threads at 1")
    torch.set_num_threads(arguments.threads)
    if arguments.peak_memory:
        return print_peak_memory(arguments.peak_memory[0], int(arguments.peak_memory[1]))

    networks = {name: size_of(name) for name in NETWORKS}
    results = []
    for size in arguments.sizes:
        for name, taken in milliseconds(size, arguments.repeats).items():
            peak = peak_memory(name, size, arguments.threads)
            results.append({"size": size, "network": name, "milliseconds": taken, "peak_mib": peak})
    facts = machine() | {"repeats": arguments.repeats}
    found = {"machine": facts, "networks": networks, "results": results}
    print(report(found))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()

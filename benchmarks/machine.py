"""What a number was measured on, and how much memory it took."""

import platform
import resource
import sys
from pathlib import Path

import torch


def machine() -> dict[str, str | int]:
    return {
        "cpu": cpu_model(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    names = (
        [line.split(":")[1].strip() for line in info.read_text().splitlines() if "model name" in line] if info.exists() else []
    )
    return names[0] if names else platform.processor() or platform.machine()


def largest_resident_mib() -> float:
    """Most memory this process ever held, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux lets a child inherit the ru_maxrss of its parent, but not this one
        return next(int(line.split()[1]) / 2**10 for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)

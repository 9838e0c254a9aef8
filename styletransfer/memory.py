"""How much memory is free, and how many pixels fit into it."""

from pathlib import Path

from styletransfer.formats import MAX_PIXELS

try:
    import psutil  # accelerate brings it; packages carry this file to people who may have neither
except ImportError:
    psutil = None

CGROUP = Path("/sys/fs/cgroup")  # of the container, where there is one
WORKING = 300_000_000  # bytes that a painter takes for strokes and tiles, whatever the size of the photo
PER_PIXEL = (
    20  # bytes from reading a photo to writing its painting, with a mask: 14 to 16 were measured, see docs/measurements.md
)


def free_memory() -> float:
    """Bytes that can still be had, in the machine or, where it has a limit, in its container; infinite where nobody knows."""
    free = psutil.virtual_memory().available if psutil else float("inf")
    try:
        limit, used, lines = ((CGROUP / f"memory.{name}").read_text() for name in ("max", "current", "stat"))
        cached = dict(line.split() for line in lines.splitlines())["inactive_file"]
        return min(free, int(limit) - int(used) + int(cached))
    except (OSError, ValueError, KeyError):  # no container, or one without a limit, which says "max"
        return free


def max_pixels(per_pixel: int = PER_PIXEL) -> int:
    """How many pixels a picture may have now that `per_pixel` bytes are needed for each."""
    return int(min(MAX_PIXELS, max(free_memory() - WORKING, 0) / per_pixel))

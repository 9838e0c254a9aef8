"""ZeroGPU, on which a Space is lent a GPU for one painting at a time. Written after its documentation; never run on one."""

import os
from collections.abc import Callable
from pathlib import Path

DURATION = 20  # seconds for which the GPU is asked for


def lend_gpu(load: Callable) -> Callable:
    """`load`, whose pipelines paint on the GPU where the page runs on ZeroGPU; anywhere else `load` as it is, for the CPU."""
    if not os.environ.get("SPACES_ZERO_GPU"):
        return load
    import spaces

    @spaces.GPU(duration=DURATION)
    def paint(path: Path, arguments: tuple, options: dict):
        # in a process of its own, which inherits what is loaded: a path goes there, pictures come back, no tensor does
        return load(path).to("cuda")(*arguments, **options)

    return lambda path: Lent(path, load(path), paint)


class Lent:
    """A pipeline that is called on a lent GPU. All else that it can do is a matter of milliseconds and stays on the CPU."""

    def __init__(self, path: Path, pipeline, paint: Callable):
        self.path, self.pipeline, self.paint = path, pipeline, paint

    def __getattr__(self, name: str):
        return getattr(self.pipeline, name)

    def __call__(self, *arguments, progress: Callable | None = None, **options):
        # nobody can report from the other process
        return self.paint(self.path, arguments, options)

"""The folder of a run: it belongs to one training at a time, and no training is lost to the next."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

STATE, LOCK = "state.pt", ".lock"


@contextmanager
def claimed(out: Path, resume: bool) -> Iterator[None]:
    """Inside, `out` exists and belongs to this training, all of its processes on all machines.

    Raises:
        ValueError: where another training works in it, or one that is not resumed has left its state.
    """
    if int(os.environ.get("RANK", 0)):  # the first process holds it for all
        yield
        return
    out.mkdir(parents=True, exist_ok=True)
    if (out / STATE).exists() and not resume:
        raise ValueError(f"{out} holds a training; go on with it by --resume, give another --out, or delete it")
    lock = FileLock(out / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ValueError(f"another training works in {out}; give this one another --out") from None
    try:
        yield
    finally:
        (out / LOCK).unlink(missing_ok=True)  # while it is held, so that nobody else's goes
        lock.release()
        if not any(out.iterdir()):  # a mistake in the options leaves nothing behind
            out.rmdir()

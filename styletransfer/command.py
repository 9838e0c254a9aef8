"""What every command line does with what goes wrong: one line, and no traceback, which is kept for faults of our own."""

import sys
from collections.abc import Callable

# of files, options, packages, the Hub and the machine; whatever else is raised is a fault of the code
MISHAPS = (ValueError, OSError, MemoryError, FloatingPointError)


def answered(work: Callable[[], int | None]) -> int:
    """Exit status of `work`: its own, or 2 after a line about what came, what was expected and what to do; 130 after Ctrl-C."""
    try:
        return work() or 0
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except Exception as error:
        if not is_mishap(error):
            raise
        print(f"error: {sentence(error)}", file=sys.stderr)
        return 2


def is_mishap(error: Exception) -> bool:
    """Whether an error is one of `MISHAPS`, or of torch, whose own are all RuntimeErrors, about memory."""
    return isinstance(error, MISHAPS) or (isinstance(error, RuntimeError) and no_memory(error))


def no_memory(error: Exception) -> bool:
    words = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in words or "can't allocate memory" in words


def sentence(error: Exception) -> str:
    """What went wrong, on one line."""
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if no_memory(error):
        return "there is too little memory: give a smaller picture, or close other programs"
    return " ".join(str(error).split()) or type(error).__name__

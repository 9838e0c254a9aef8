"""Ctrl-C without a loss."""

import contextlib
import signal
from collections.abc import Iterator


@contextlib.contextmanager
def stopping_cleanly() -> Iterator[list[int]]:
    """Inside, the first Ctrl-C or SIGTERM is only noted in the list, so that an update can end; a second one interrupts it."""
    noted: list[int] = []

    def note(number: int, frame: object) -> None:
        noted.append(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

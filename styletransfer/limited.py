"""Functions run in a process of their own, with limits on memory and time: there files of strangers are opened first."""

import multiprocessing
from collections.abc import Callable
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path

MEMORY = 2_000_000_000  # bytes beyond those of a process that has only imported everything
SECONDS = 20
PRELOADED = ["styletransfer.pipelines.trial"]


class TooMuch(Exception):
    """The function took more memory or time than it may."""


def run_limited(function: Callable, *arguments, memory: int = MEMORY, seconds: float = SECONDS):
    """What `function(*arguments)` returns in another process, which is killed where it takes too much.

    `run_limited(examine, folder)`

    The first call takes seconds, for it starts a server that imports torch; later ones are forks of that. Memory is limited on
    Linux alone.

    Args:
        function: One that a module holds, as for `multiprocessing`.
        memory: Bytes that the process may take.
        seconds: Time that it may take, once it has started.

    Raises:
        TooMuch: if it needs more.
        ValueError: whatever else it raises, with the first line of its message.
    """
    start_server()
    receiver, sender = context().Pipe(duplex=False)
    process = context().Process(target=answer, args=(sender, memory, function, arguments), daemon=True)
    process.start()
    sender.close()
    try:
        receiver.recv()  # it has started
        if not receiver.poll(seconds):
            raise TooMuch
        result, error = receiver.recv()
    except EOFError:  # it was killed
        raise TooMuch from None
    finally:
        process.kill()
        process.join()
        process.close()
        receiver.close()
    if error is not None:
        raise error
    return result


@cache
def context() -> multiprocessing.context.BaseContext:
    methods = multiprocessing.get_all_start_methods()
    return multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")


def start_server() -> None:
    """Start what processes are forked from, if it does not run yet, and do not wait for it."""
    if context().get_start_method() == "forkserver":
        from multiprocessing import forkserver

        context().set_forkserver_preload(PRELOADED)
        forkserver.ensure_running()


def answer(sender: Connection, memory: int, function: Callable, arguments: tuple) -> None:
    """The other process."""
    import torch  # which the server has imported

    torch.set_num_threads(1)  # every further thread reserves memory
    sender.send("started")
    try:
        limit_memory(memory)
        sender.send((function(*arguments), None))
    except MemoryError:
        sender.send((None, TooMuch()))
    except Exception as error:
        message = (str(error).splitlines() or [type(error).__name__])[0]
        ours = isinstance(error, ValueError | OSError)
        too_much = isinstance(error, RuntimeError) and "allocate" in message  # of torch
        sender.send((None, TooMuch() if too_much else ValueError(message if ours else f"{type(error).__name__}: {message}")))


def limit_memory(more: int) -> None:
    try:
        import resource

        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()  # torch reserves gigabytes
    except (ImportError, OSError):
        return
    resource.setrlimit(resource.RLIMIT_AS, (used + more, resource.getrlimit(resource.RLIMIT_AS)[1]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

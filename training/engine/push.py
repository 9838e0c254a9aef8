"""Packages to the Hub while they train: in the background, the newest first, and never in the way of the training."""

import copy
import shlex
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from huggingface_hub.utils import disable_progress_bars
from torch import nn
from tqdm import tqdm

from styletransfer.upload import open_repository, upload
from training.options import Run

WAITS = (1, 4, 16, 60)  # seconds before a failed push is tried again
PATIENCE = 600  # seconds that the end of a training waits for the last push


@dataclass(frozen=True)
class Package:
    """What to push: `write` puts a package into a folder, or returns the one where it lies."""

    title: str
    write: Callable[[Path], Path]


class Pusher:
    """Pushes the packages of a training to the repository of `config.hub`, one commit each.

    A thread does the work. What waits for it is only ever the newest package: a newer one takes its place, and ends the attempts
    to push an older one. Nothing that goes wrong in the thread reaches the training.

    Args:
        config: Of the training.
        export: Writes the package of networks on the CPU into a folder.
    """

    def __init__(self, config: Run, export: Callable[[dict[str, nn.Module], Path], None]):
        self.config, self.export = config, export
        self.offered = 0  # update of the last package
        self.waiting: Package | None = None
        self.ending = False
        self.address, self.failure = "", ""
        self.news = threading.Condition()
        disable_progress_bars()  # they would tear the training's own
        self.thread = threading.Thread(target=self.work, name="push", daemon=True)
        self.thread.start()

    # --- the side of the training ---

    def offer(self, update: int, nets: dict[str, nn.Module]) -> None:
        """Have the package of `nets` pushed, if --hub.every updates have passed since the last one. Returns at once."""
        if update - self.offered < self.config.hub.every:
            return
        self.offered = update
        nets = {name: copy.deepcopy(net).cpu() for name, net in nets.items()}  # the training moves on

        def write(scratch: Path) -> Path:
            folder = scratch / self.config.out.resolve().name / "pipeline"  # cards take their title from the folder of the run
            self.export(nets, folder)
            return folder

        self.hand_over(Package(f"Update {update}", write))

    def finish(self, folder: Path) -> None:
        """Push the finished package in `folder`, wait for that, and say where it is, or how to try again."""
        self.hand_over(Package("The last package", lambda scratch: folder), last=True)
        try:
            self.thread.join(PATIENCE)
        except KeyboardInterrupt:
            self.failure = "it was interrupted"
        else:
            if self.thread.is_alive():
                self.failure = f"it took more than {PATIENCE // 60} minutes"
        repo = self.config.hub.repo
        if self.failure:
            private = " --private" if self.config.hub.private else ""
            command = f"python -m training export {shlex.quote(str(self.config.out))} --push {repo}{private}"
            print(f"the last package was not pushed: {self.failure}\ntry again with: {command}", file=sys.stderr)
        else:
            print(f"the package is at {self.address}")

    def hand_over(self, package: Package, last: bool = False) -> None:
        with self.news:
            self.waiting, self.ending = package, last
            self.news.notify()

    # --- the side of the thread ---

    def work(self) -> None:
        try:
            open_repository(self.config.hub.repo, private=self.config.hub.private)
        except OSError as error:  # better reported now than after the first hour
            warn(f"nothing can be pushed at present: {error}; the training goes on")
        while (package := self.next()) is not None:
            self.failure = self.push(package)
            if self.failure and not self.ending:
                warn(f"{package.title} was not pushed: {self.failure}; the training goes on")

    def next(self) -> Package | None:
        """The package that waits, or None after the last one."""
        with self.news:
            self.news.wait_for(lambda: self.waiting or self.ending)
            package, self.waiting = self.waiting, None
            return package

    def push(self, package: Package) -> str:
        """Push until it works, a newer package waits, or there is no hope; returns what went wrong, or nothing."""
        hub = self.config.hub
        try:
            with TemporaryDirectory() as scratch:
                folder = package.write(Path(scratch))
                for wait in (*WAITS, None):
                    try:
                        self.address = upload(folder, hub.repo, private=hub.private, message=package.title)
                        return ""
                    except OSError as error:
                        if wait is None or isinstance(error, PermissionError) or self.newer(wait):
                            raise
        except Exception as error:  # of the Hub, of an export, of a full disk: the training goes on
            return str(error) or type(error).__name__

    def newer(self, seconds: float) -> bool:
        """Wait, and end early with True if a newer package comes."""
        with self.news:
            return self.news.wait_for(lambda: self.waiting is not None, seconds)


def warn(sentence: str) -> None:
    tqdm.write(sentence, file=sys.stderr)

"""The temporary folder of the page: no upload and no painting in it grows older than an hour, and it goes when the page does."""

import contextlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

AGE = 3600  # seconds that a file is kept
INTERVAL = 60  # seconds from one sweep to the next
SILENCE = 10 * INTERVAL  # seconds without a sweep after which the process of a folder is taken for dead
PREFIX = "page-"


@dataclass
class PageFolder:
    """Where one process of the page keeps what is not to stay: uploads and paintings, and packages of strangers.

    `with PageFolder.make() as folder:` sweeps at once and then every minute, and removes the folder in the end. A sweep deletes
    old files in the folders of other processes as well, and the folders of those that were killed.

    Args:
        path: The folder, which nobody but its owner may read.
        size: Bytes of its uploads and paintings at the last sweep.
    """

    path: Path
    size: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def make(cls, base: str | Path | None = None) -> "PageFolder":
        """A new one in the folder `base`; by default in one for this user among the temporary files of the machine."""
        if base is None:
            user = os.getuid() if hasattr(os, "getuid") else "user"
            base = Path(tempfile.gettempdir()) / f"styletransfer-{user}"
        base = Path(base)
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        if hasattr(os, "getuid") and (base.is_symlink() or base.stat().st_uid != os.getuid()):
            raise PermissionError(f"{base} belongs to somebody else; name another folder in GRADIO_TEMP_DIR")
        folder = cls(Path(tempfile.mkdtemp(prefix=PREFIX, dir=base)))
        for path in (folder.uploads, folder.others):
            path.mkdir(mode=0o700)
        return folder

    @property
    def uploads(self) -> Path:
        """For what visitors send and what they get."""
        return self.path / "uploads"

    @property
    def others(self) -> Path:
        """For what is in use as long as the page runs."""
        return self.path / "others"

    def __enter__(self) -> "PageFolder":
        self.sweep()
        threading.Thread(target=self.sweep_on, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.stopped.set()
        shutil.rmtree(self.path, ignore_errors=True)

    def sweep_on(self) -> None:
        while not self.stopped.wait(INTERVAL):
            self.sweep()

    def sweep(self, now: float | None = None) -> None:
        """Delete what is old at the time `now`, and the folders of processes that have not swept for long."""
        now = time.time() if now is None else now
        with contextlib.suppress(OSError):
            os.utime(self.path, (now, now))  # says that this process lives
        for page in self.path.parent.glob(f"{PREFIX}*"):
            with contextlib.suppress(OSError):  # another process may delete the same
                if now - page.stat().st_mtime > SILENCE:
                    shutil.rmtree(page, ignore_errors=True)
                else:
                    delete_old(page / "uploads", now - AGE + INTERVAL)
        self.size = sum(status.st_size for _, status in files(self.uploads))


def delete_old(folder: Path, oldest: float) -> None:
    """Delete files below `folder` that were written before the time `oldest`, and folders that are empty since then."""
    for path, status in files(folder):
        if status.st_ctime < oldest:  # the time of writing may be that of a file that was copied
            path.unlink(missing_ok=True)
    for parent in folder.glob("*/"):
        with contextlib.suppress(OSError):  # it is not empty
            if parent.lstat().st_ctime < oldest:
                parent.rmdir()


def files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Everything below `folder` that is no folder, with its status; links are not followed."""
    for root, _, names in os.walk(folder):
        for path in (Path(root, name) for name in names):
            with contextlib.suppress(FileNotFoundError):
                yield path, path.lstat()

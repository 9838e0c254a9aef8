"""The temporary folder of the page: no upload and no painting in it grows older than an hour, and it goes when the page does."""

import contextlib
import os
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.util import get_temp_dir
from pathlib import Path

from filelock import FileLock, Timeout

AGE = 3600  # seconds that a file is kept at most
INTERVAL = 60  # seconds from one sweep to the next
PREFIX = "page-"
VARIABLE = "GRADIO_TEMP_DIR"  # of the environment


@dataclass
class PageFolder:
    """Where one process of the page keeps what is not to stay: uploads and paintings, and packages of strangers.

    `with PageFolder.make() as folder:` sweeps at once and then every minute, and removes the folder in the end. A sweep deletes
    old files, and the folders of processes that were killed. Inside, Gradio, which must be imported there, and `tempfile` write
    nowhere else.

    Args:
        path: The folder, which nobody but its owner may read.
        lock: Held as long as the process lives.
        size: Bytes of its uploads and paintings at the last sweep.
        kept: Files that are never old.
    """

    path: Path
    lock: FileLock
    size: int = 0
    kept: frozenset[Path] = frozenset()
    stopped: threading.Event = field(default_factory=threading.Event)
    restored: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @classmethod
    def make(cls, base: str | Path | None = None) -> "PageFolder":
        """A new one in the folder `base`; by default in one for this user among the temporary files of the machine."""
        if base is None:
            user = os.getuid() if hasattr(os, "getuid") else "user"
            base = Path(tempfile.gettempdir()) / f"styletransfer-{user}"
        base = Path(base)
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        if hasattr(os, "getuid") and (base.is_symlink() or base.stat().st_uid != os.getuid()):
            raise PermissionError(f"{base} belongs to somebody else; name another folder in {VARIABLE}")
        path = base.resolve() / f"{PREFIX}{uuid.uuid4().hex}"
        folder = cls(path, lock_of(path))
        folder.lock.acquire(timeout=0)  # before there is anything that another process could take for left behind
        for part in (path, folder.uploads, folder.others):
            part.mkdir(mode=0o700)
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
        get_temp_dir()  # the folder of multiprocessing, which is removed by itself in the end
        self.restored.callback(setattr, tempfile, "tempdir", tempfile.tempdir)
        tempfile.tempdir = str(self.others)
        before = os.environ.get(VARIABLE)
        self.restored.callback(os.environ.pop if before is None else os.environ.__setitem__, VARIABLE, before)
        os.environ[VARIABLE] = str(self.uploads)
        self.sweep()
        threading.Thread(target=self.sweep_on, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.stopped.set()
        self.restored.close()
        shutil.rmtree(self.path, ignore_errors=True)
        self.lock.release()
        Path(self.lock.lock_file).unlink(missing_ok=True)

    def keep(self) -> None:
        """What is here now is the page's own, such as its example photos, and stays as long as the page runs."""
        self.kept = frozenset(path for path, _ in files(self.uploads))

    def sweep_on(self) -> None:
        while not self.stopped.wait(INTERVAL):
            self.sweep()

    def sweep(self, now: float | None = None) -> None:
        """Delete what is old at the time `now`, and the folders of processes that are gone."""
        oldest = (time.time() if now is None else now) - AGE + INTERVAL
        for path, status in files(self.uploads):
            if status.st_ctime < oldest and path not in self.kept:  # the time of writing may be that of a file that was copied
                with contextlib.suppress(OSError):
                    path.unlink()
        for parent in self.uploads.glob("*/"):
            with contextlib.suppress(OSError):  # it is not empty
                if parent.lstat().st_ctime < oldest:
                    parent.rmdir()
        for path in self.path.parent.glob(f"{PREFIX}*/"):
            lock = lock_of(path)
            with contextlib.suppress(Timeout, OSError), lock.acquire(timeout=0):
                shutil.rmtree(path, ignore_errors=True)
                Path(lock.lock_file).unlink(missing_ok=True)
        self.size = sum(status.st_size for _, status in files(self.uploads))


def lock_of(path: Path) -> FileLock:
    return FileLock(path.with_suffix(".lock"), thread_local=False)


def files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Everything below `folder` that is no folder, with its status; links are not followed."""
    for root, _, names in os.walk(folder):
        for path in (Path(root, name) for name in names):
            with contextlib.suppress(FileNotFoundError):
                yield path, path.lstat()

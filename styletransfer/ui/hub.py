"""Packages of the Hub for visitors: public ones only, looked at before anything is downloaded, kept as long as the page runs."""

import os
import shutil
from functools import cache
from html import escape
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import gradio as gr

from styletransfer.catalog import Package, read_package
from styletransfer.limited import TooMuch, run_limited
from styletransfer.ui.inputs import refusal
from styletransfer.ui.page import Page
from styletransfer.ui.words import tell

MAX_BYTES = 300_000_000
MAX_FILES = 1000
SHELF = 10  # repositories that are kept for all visitors; beyond that the one asked for longest ago goes


def fetch_package(name: str, revision: str | None = None) -> Package:
    """The package in the repository `name`, user/name, of the Hub, at a branch, tag or commit; `name` is its name here too.

    Only JSON, safetensors, sample pictures and the card are downloaded. Nobody's token is sent, so that no visitor reads what is
    private. It is opened in another process first, which may take little memory and time.
    Whatever is wrong is a ValueError or OSError of one sentence in the visitor's language, which names no folder of this machine.

    `fetch_package("user/painter", "v1")`
    """
    from huggingface_hub import HfApi, snapshot_download  # costs seconds, which the page can be shown without

    from styletransfer.pipelines.loading import HUB_ID, PATIENCE, package_files
    from styletransfer.pipelines.trial import examine

    name, revision = name.strip(), (revision or "").strip() or None
    if not HUB_ID.fullmatch(name):
        raise ValueError(tell("models_bad_id"))
    patterns = list(package_files())
    try:
        info = HfApi(token=False).repo_info(name, revision=revision, timeout=PATIENCE, files_metadata=True)
        check_files(name, info.siblings or [], patterns)
        folder = Path(snapshot_download(name, revision=info.sha, token=False, allow_patterns=patterns, cache_dir=shelf().name))
    except Refused:
        raise
    except Exception as error:  # of huggingface_hub, and of its HTTP library, which is not the same in all its versions
        raise explained(error, name, revision) from None
    tidy(folder.parents[1])
    try:
        run_limited(examine, folder)
        return read_package(folder, name)
    except TooMuch:
        raise ValueError(tell("models_heavy", name=name)) from None
    except (ValueError, OSError) as error:
        raise foreign(error, name, folder) from None


class Refused(ValueError):
    """A repository that was looked at and not downloaded."""


def check_files(name: str, files: list, patterns: list[str]) -> None:
    """Refuse what is no package, too much, or out of its folder. `files` are those that the Hub says a repository has."""
    from huggingface_hub.utils import filter_repo_objects

    wanted = list(filter_repo_objects(files, allow_patterns=patterns, key=lambda file: file.rfilename))
    paths = [PurePosixPath(file.rfilename) for file in wanted]
    if PurePosixPath("model_index.json") not in paths:
        raise Refused(tell("models_no_index", name=name))
    if any(".." in path.parts or path.is_absolute() for path in paths):
        raise Refused(tell("models_outside", name=name))
    sizes = [file.size for file in wanted]
    if None in sizes or sum(sizes) > MAX_BYTES or len(sizes) > MAX_FILES:
        size = "?" if None in sizes else f"{sum(sizes) / 1e6:.0f}"
        most = {"most": f"{MAX_BYTES / 1e6:.0f}", "most_files": MAX_FILES}
        raise Refused(tell("models_too_large", name=name, size=size, files=len(sizes), **most))


def explained(error: Exception, name: str, revision: str | None) -> OSError:
    """What the Hub, its client or the network says about a repository, as one sentence."""
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    match error:
        case GatedRepoError():  # a kind of the next
            return PermissionError(tell("models_gated", name=name))
        case RepositoryNotFoundError():
            return FileNotFoundError(tell("models_missing", name=name))
        case RevisionNotFoundError():
            return FileNotFoundError(tell("models_no_revision", name=name, revision=revision))
        case OfflineModeIsEnabled():
            return ConnectionError(tell("models_offline"))
        case HfHubHTTPError() if error.response is not None:
            return ConnectionError(tell("models_hub_error", status=error.response.status_code))
    return ConnectionError(tell("models_hub_silent"))


def foreign(error: Exception, name: str, folder: Path) -> ValueError:
    """The error of a loader about a package, with the package's name where it speaks of a folder."""
    reason = str(error).splitlines()[0].replace(f"{folder}/", "").replace(str(folder), name)
    return ValueError(tell("models_foreign", name=name, reason=reason.rstrip(".")))


def open_package(page: Page, package: Package):
    """The pipeline of `package`; its errors speak of the package, never of where it lies."""
    try:
        return page.load(package.path)
    except (ValueError, OSError) as error:
        raise foreign(error, package.name, package.path) from None


def plain(error: Exception) -> gr.Error:
    """`error` for a toast, which shows HTML: the sentence may quote what a stranger wrote."""
    return refusal(escape(str(error), quote=False))


@cache
def shelf() -> TemporaryDirectory:
    """Where downloads lie, apart from the cache of whoever runs the page; deleted when the process ends."""
    return TemporaryDirectory(prefix="packages-")


def tidy(newest: Path) -> None:
    """Delete all but the `SHELF` repositories asked for last, of which `newest` is the very last."""
    os.utime(newest)
    by_age = sorted(newest.parent.glob("models--*"), key=lambda path: path.stat().st_mtime)
    for old in by_age[:-SHELF]:
        shutil.rmtree(old, ignore_errors=True)

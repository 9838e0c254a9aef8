"""Folders to repositories of the Hub, each in one commit, with a sentence for whatever goes wrong."""

from pathlib import Path

from huggingface_hub import HfApi, RepoUrl


def open_repository(repo: str, kind: str = "model", private: bool = False) -> RepoUrl:
    """Address of the repository `repo` ("user/name"), which is made where there is none. `kind` is "model" or "space".

    Raises:
        PermissionError: where it is no use to try again before somebody logs in.
        OSError: for all else.
    """
    sdk = "gradio" if kind == "space" else None
    try:
        return HfApi().create_repo(repo, repo_type=kind, private=private or None, space_sdk=sdk, exist_ok=True)
    except Exception as error:  # the client raises errors of many libraries
        raise explained(error, repo) from error


def upload(folder: Path, repo: str, kind: str = "model", private: bool = False, message: str = "Upload the package") -> str:
    """Put all of `folder` into the repository `repo` in one commit, and return its address. Raises like `open_repository`.

    Files of the repository that are not in the folder stay, but for samples and training state of an earlier package.
    """
    address = open_repository(repo, kind, private)
    try:
        HfApi().upload_folder(
            repo_id=repo,
            folder_path=folder,
            repo_type=kind,
            commit_message=message,
            ignore_patterns=[".*", "*/.*"],
            delete_patterns=["samples/*", "training_state/*"],
        )
    except Exception as error:
        raise explained(error, repo) from error
    return str(address)


def explained(error: Exception, repo: str) -> OSError:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status == 401:
        return PermissionError(f"the Hub does not know you: log in with `hf auth login`, or set HF_TOKEN, to write to {repo}")
    if status in (403, 404):
        return PermissionError(f"you are logged in, but your token may not write to {repo}")
    reason = f"it answered {status}" if status else (str(error).strip().splitlines() or [type(error).__name__])[0]
    return OSError(f"{repo} could not be written on the Hub: {reason}")

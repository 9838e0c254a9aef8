"""A Hub on the loopback: what the clients huggingface_hub and diffusers ask for, with every file sent and stored whole."""

import asyncio
import base64
import hashlib
import json
import socket
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Files = dict[str, bytes]
KINDS = {"models": "model", "spaces": "space", "datasets": "dataset"}


@dataclass
class Repo:
    """Its commits, newest last, as (sha, title, files), and the commits that branches and tags point at."""

    private: bool = False
    commits: list[tuple[str, str, Files]] = field(default_factory=list)
    refs: dict[str, str] = field(default_factory=dict)

    def commit(self, changes: dict[str, bytes | None], title: str, revision: str = "main") -> str:
        """Write files, and take out those that are None, a folder by its name. Gives the commit's sha."""
        files = dict(self.files(revision)) if revision in self.refs else {}
        for path, content in changes.items():
            if content is None:
                files = {
                    name: data for name, data in files.items() if name != path and not name.startswith(path.rstrip("/") + "/")
                }
            else:
                files[path] = content
        sha = hashlib.sha1(f"{len(self.commits)} {title} {sorted(files)}".encode()).hexdigest()
        self.commits.append((sha, title, files))
        self.refs[revision] = sha
        return sha

    def files(self, revision: str = "main") -> Files:
        sha = self.refs.get(revision, revision)
        return next(files for known, _, files in self.commits if known == sha)


class LoopbackHub:
    """A Hub at `url`. Writing needs `token`, and so does reading what is private.

    `with LoopbackHub() as hub: hub.add_repo("user/painter", folder); hub.connect(monkeypatch, tmp_path)`

    Attributes:
        repos: Every repository by (kind, id), the kinds being "model", "space" and "dataset".
        calls: (method, path, status) of every request.
        tokens: What requests said in their header `authorization`.
        fail: (method, part of a path) -> statuses with which the next such requests are refused.
        delay: Seconds that every answer takes.
    """

    def __init__(self, token: str = "hf_test", user: str = "user"):
        self.token, self.user = token, user
        self.repos: dict[tuple[str, str], Repo] = {}
        self.calls: list[tuple[str, str, int]] = []
        self.tokens: set[str] = set()
        self.fail: dict[tuple[str, str], list[int]] = {}
        self.delay = 0.0
        self.routes = self.table()
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"

    def __enter__(self) -> "LoopbackHub":
        config = uvicorn.Config(self.app, interface="asgi3", log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]}, daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.005)
        return self

    def __exit__(self, *error) -> None:
        self.stop()

    def stop(self) -> None:
        """From here on nobody answers at `url`."""
        self.server.should_exit = True
        self.thread.join(5)
        self.socket.close()

    def add_repo(self, name: str, folder: str | Path | None = None, private: bool = False, kind: str = "model") -> Repo:
        """A repository with one commit: the files of a folder."""
        repo = self.repos[kind, name] = Repo(private)
        files = [path for path in sorted(Path(folder).rglob("*")) if path.is_file()] if folder else []
        repo.commit({path.relative_to(folder).as_posix(): path.read_bytes() for path in files}, "initial commit")
        return repo

    def environment(self, home: Path) -> dict[str, str]:
        """What a new process needs in its environment to use this Hub, with its caches in the folder `home`."""
        return {
            "HF_ENDPOINT": self.url,
            "HF_HOME": str(home),
            "HF_HUB_CACHE": str(home / "hub"),
            "HF_MODULES_CACHE": str(home / "modules"),
            "HF_TOKEN_PATH": str(home / "token"),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        }

    def connect(self, monkeypatch, home: Path, logged_in: bool = False) -> None:
        """Make the clients of this process use this Hub, whether they have been imported or not."""
        from diffusers.utils import dynamic_modules_utils
        from huggingface_hub import constants, hf_api

        for name, value in self.environment(home).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(constants, "ENDPOINT", self.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", self.url + "/{repo_id}/resolve/{revision}/{filename}")
        monkeypatch.setattr(hf_api.api, "endpoint", self.url)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(home / "hub"))
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(home / "token"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)
        monkeypatch.setattr(dynamic_modules_utils, "HF_MODULES_CACHE", str(home / "modules"))
        monkeypatch.syspath_prepend(str(home / "modules"))  # and so it leaves the path after the test
        for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        if logged_in:
            monkeypatch.setenv("HF_TOKEN", self.token)

    async def app(self, scope, receive, send) -> None:
        """Delays, failures to order and the log, around the routes."""
        if self.delay:
            await asyncio.sleep(self.delay)
        method, path = scope["method"], scope["path"]
        self.tokens |= {value.decode() for name, value in scope["headers"] if name == b"authorization"}

        async def logged(message):
            if message["type"] == "http.response.start":
                self.calls.append((method, path, message["status"]))
            await send(message)

        for (wanted, part), statuses in self.fail.items():
            if statuses and wanted == method and part in path:
                return await Response("refused to order", statuses.pop(0))(scope, receive, logged)
        await self.routes(scope, receive, logged)

    def table(self) -> Starlette:
        api = "/api/{kind}/{user}/{name}"
        routes = [
            ("/api/whoami-v2", self.whoami, "GET"),
            ("/api/repos/create", self.create, "POST"),
            ("/api/validate-yaml", self.validate, "POST"),
            (api + "/preupload/{revision}", self.preupload, "POST"),
            (api + "/commit/{revision}", self.commit, "POST"),
            (api + "/tree/{revision}", self.tree, "GET"),
            (api + "/revision/{revision}", self.info, "GET"),
            (api, self.info, "GET"),
            ("/{kind}/{user}/{name}/resolve/{revision}/{path:path}", self.resolve, "GET"),
            ("/{user}/{name}/resolve/{revision}/{path:path}", self.resolve, "GET"),
        ]
        return Starlette(routes=[Route(path, answer, methods=[method]) for path, answer, method in routes])

    def check_token(self, request: Request) -> None:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            raise HTTPException(401, "Invalid username or password.")

    def find(self, request: Request) -> tuple[str, Repo, str]:
        """Id, repository and sha that a path is about."""
        wanted = request.path_params
        name = f"{wanted['user']}/{wanted['name']}"
        repo = self.repos.get((KINDS[wanted.get("kind", "models")], name))
        if repo is None or (repo.private and request.headers.get("authorization") != f"Bearer {self.token}"):
            raise HTTPException(404, headers={"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"})
        revision = unquote(wanted.get("revision", "main"))
        sha = repo.refs.get(revision) or next((sha for sha, _, _ in repo.commits if sha == revision), None)
        if sha is None:
            raise HTTPException(404, headers={"X-Error-Code": "RevisionNotFound", "X-Error-Message": "Invalid rev id"})
        return name, repo, sha

    async def whoami(self, request: Request) -> JSONResponse:
        self.check_token(request)
        return JSONResponse({"type": "user", "name": self.user, "orgs": [], "auth": {"type": "access_token"}})

    async def validate(self, request: Request) -> JSONResponse:
        return JSONResponse({"errors": [], "warnings": []})

    async def create(self, request: Request) -> JSONResponse:
        self.check_token(request)
        body = await request.json()
        kind, name = body.get("type", "model"), f"{body.get('organization') or self.user}/{body['name']}"
        url = f"{self.url}/{'' if kind == 'model' else kind + 's/'}{name}"
        if (kind, name) in self.repos:
            return JSONResponse({"error": "You already created this repo", "url": url}, 409)
        self.add_repo(name, private=bool(body.get("private") or body.get("visibility") == "private"), kind=kind)
        return JSONResponse({"url": url, "name": name, "id": name})

    async def info(self, request: Request) -> JSONResponse:
        name, repo, sha = self.find(request)
        files = [{"rfilename": path, "size": len(data)} for path, data in sorted(repo.files(sha).items())]
        return JSONResponse({"id": name, "modelId": name, "sha": sha, "private": repo.private, "tags": [], "siblings": files})

    async def tree(self, request: Request) -> JSONResponse:
        _, repo, sha = self.find(request)
        files = sorted(repo.files(sha).items())
        return JSONResponse([{"type": "file", "oid": oid(data), "size": len(data), "path": path} for path, data in files])

    async def preupload(self, request: Request) -> JSONResponse:
        self.check_token(request)
        _, repo, sha = self.find(request)
        known = {path: oid(data) for path, data in repo.files(sha).items()}
        paths = [file["path"] for file in (await request.json())["files"]]
        same = {"uploadMode": "regular", "shouldIgnore": False}
        return JSONResponse({"files": [{"path": path, "oid": known.get(path), **same} for path in paths], "commitOid": sha})

    async def commit(self, request: Request) -> JSONResponse:
        self.check_token(request)
        name, repo, before = self.find(request)
        title, changes = "", {}
        for entry in map(json.loads, (await request.body()).splitlines()):
            kind, value = entry["key"], entry["value"]
            if kind == "header":
                title = value["summary"]
                if value.get("parentCommit") not in (None, before):
                    return JSONResponse({"error": "A commit has happened since. Please refresh and try again."}, 412)
            else:
                changes[value["path"]] = base64.b64decode(value["content"]) if kind == "file" else None
        sha = repo.commit(changes, title, unquote(request.path_params["revision"]))
        return JSONResponse({"success": True, "commitOid": sha, "commitUrl": f"{self.url}/{name}/commit/{sha}", "hookOutput": ""})

    async def resolve(self, request: Request) -> Response:
        _, repo, sha = self.find(request)
        data = repo.files(sha).get(request.path_params["path"])
        if data is None:
            raise HTTPException(404, headers={"X-Error-Code": "EntryNotFound", "X-Repo-Commit": sha})
        headers = {"X-Repo-Commit": sha, "ETag": f'"{oid(data)}"'}
        return Response(data, headers=headers, media_type="application/octet-stream")  # HEAD: the server drops the body


def oid(data: bytes) -> str:
    """Name that git gives to a file of this content."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()

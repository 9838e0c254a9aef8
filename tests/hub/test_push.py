"""Packages reach the Hub while they train, and nothing that goes wrong on the way reaches the training."""

import copy
import dataclasses
import threading
import time

import pytest
import torch
from safetensors.torch import load

from styletransfer.catalog import read_package
from styletransfer.upload import upload
from tests.training.conftest import blank_curves, config, pictures, tiny_painter  # noqa: F401 as fixtures
from training.__main__ import main
from training.engine import push
from training.engine.push import Pusher
from training.engine.trainer import Trainer
from training.options import Hub

REPO = "user/painter"
CREATE, COMMIT = ("POST", "/repos/create"), ("POST", "/commit/")
WEIGHTS = "stylizer/diffusion_pytorch_model.safetensors"


@pytest.fixture
def account(hub, monkeypatch, tmp_path):
    """The loopback Hub, logged in, and waits that are a thousandth of the real ones."""
    hub.connect(monkeypatch, tmp_path / "hf", logged_in=True)
    monkeypatch.setattr(push, "WAITS", (0.001, 0.004, 0.016))
    return hub


def pushing(config, **changes):  # noqa: F811
    return dataclasses.replace(config, hub=Hub(repo=REPO, every=2), save_every=1, updates=3, **changes)


def titles(hub) -> list[str]:
    return [title for _, title, _ in hub.repos["model", REPO].commits[1:]]


def statuses(hub, request: tuple[str, str]) -> list[int]:
    return [status for method, path, status in hub.calls if method == request[0] and request[1] in path]


class Folder:
    """An export that writes one file, and counts how often it was called."""

    def __init__(self):
        self.calls = 0

    def __call__(self, nets, folder):
        self.calls += 1
        folder.mkdir(parents=True)
        (folder / "weight.txt").write_text(f"{nets['net'].weight.item():g}")


def net(weight: float) -> dict[str, torch.nn.Module]:
    layer = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(layer.weight, weight)
    return {"net": layer}


def wait_until(condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_training_pushes_as_it_goes(account, tiny_painter, config, capsys):  # noqa: F811
    trainer = Trainer(tiny_painter, pushing(config))
    trainer.train()
    # it may take the place of that of update 2
    assert titles(account) in (["Update 2", "The last package"], ["The last package"])
    files = account.repos["model", REPO].files()
    assert {"model_index.json", "README.md", "pipeline.py", "samples/sheet.jpg", WEIGHTS} <= files.keys()
    for name, tensor in load(files[WEIGHTS]).items():
        assert torch.equal(tensor, trainer.averages["stylizer"].net.state_dict()[name])
    assert f"the package is at {account.url}/{REPO}" in capsys.readouterr().out


def test_every_commit_is_a_whole_package_of_its_update(account, tiny_painter, config, tmp_path):  # noqa: F811
    pusher = Pusher(pushing(config), tiny_painter.export)
    nets = {name: tiny_painter.nets[name] for name in tiny_painter.averaged}
    before = {name: tensor.clone() for name, tensor in nets["stylizer"].state_dict().items()}
    pusher.offer(2, nets)
    for parameter in nets["stylizer"].parameters():  # the training goes on
        parameter.data.add_(1)
    wait_until(lambda: statuses(account, COMMIT))
    files = account.repos["model", REPO].files()
    assert titles(account) == ["Update 2"] and b"# run\n" in files["README.md"]
    for name, tensor in load(files[WEIGHTS]).items():
        assert torch.equal(tensor, before[name])
    for name, content in files.items():
        (tmp_path / "got" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "got" / name).write_bytes(content)
    assert read_package(tmp_path / "got").kind == "StyleTransferPipeline" and read_package(tmp_path / "got").samples


def test_pushing_does_not_change_what_is_learned(account, tiny_painter, config, tmp_path):  # noqa: F811
    states = []
    for options in (dataclasses.replace(pushing(config), hub=Hub(), out=tmp_path / "silent"), pushing(config)):
        preset = dataclasses.replace(tiny_painter, nets=copy.deepcopy(tiny_painter.nets))
        Trainer(preset, options).train()
        states.append(torch.load(options.out / "state.pt", weights_only=True)["nets"])
    assert titles(account)
    for name, state in states[0].items():
        for key, value in state.items():
            assert torch.equal(states[1][name][key], value), (name, key)


def test_every(account, config):  # noqa: F811
    export = Folder()
    pusher = Pusher(pushing(config), export)
    for update in range(1, 8):
        pusher.offer(update, net(update))
        wait_until(lambda done=update // 2: len(statuses(account, COMMIT)) == done)
    assert titles(account) == ["Update 2", "Update 4", "Update 6"]
    assert account.repos["model", REPO].files()["weight.txt"] == b"6"


def test_the_newest_wins_and_offering_never_waits(account, config, tmp_path):  # noqa: F811
    export, gate = Folder(), threading.Event()

    def slow(nets, folder):
        gate.wait(60)
        export(nets, folder)

    pusher = Pusher(pushing(config), slow)
    pusher.offer(2, net(2))
    wait_until(lambda: pusher.waiting is None)  # at work on it
    for update in (4, 6, 8):
        pusher.offer(update, net(update))
    assert not export.calls
    gate.set()
    wait_until(lambda: len(statuses(account, COMMIT)) == 2)
    assert titles(account) == ["Update 2", "Update 8"] and export.calls == 2


def test_a_newer_package_ends_the_attempts_at_an_older_one(account, config, monkeypatch):  # noqa: F811
    monkeypatch.setattr(push, "WAITS", (600,))
    account.fail[COMMIT] = [500]
    pusher = Pusher(pushing(config), Folder())
    pusher.offer(2, net(2))
    wait_until(lambda: statuses(account, COMMIT) == [500])
    pusher.offer(4, net(4))
    wait_until(lambda: statuses(account, COMMIT) == [500, 200])
    assert titles(account) == ["Update 4"]


def test_failures_are_retried(account, config, tmp_path, capsys):  # noqa: F811
    account.fail[COMMIT] = [500, 503, 500]
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "model_index.json").write_text("{}")
    Pusher(pushing(config), Folder()).finish(tmp_path / "package")
    assert statuses(account, COMMIT) == [500, 503, 500, 200]
    said = capsys.readouterr()
    assert "the package is at" in said.out and not said.err


def test_a_failed_push_never_kills_the_training_and_is_reported(account, tiny_painter, config, capsys):  # noqa: F811
    account.fail[COMMIT] = [500] * 100
    Trainer(tiny_painter, pushing(config)).train()
    said = capsys.readouterr().err
    assert "the last package was not pushed: user/painter could not be written on the Hub: it answered 500" in said
    assert said.rstrip().endswith(f"try again with: python -m training export {config.out} --push user/painter")
    # and the command does what it says
    account.fail.clear()
    assert main(["export", str(config.out), "--push", REPO]) == 0
    assert WEIGHTS in account.repos["model", REPO].files()


def test_a_hub_that_is_away_is_a_sentence(account, config, tmp_path, capsys):  # noqa: F811
    account.stop()
    Pusher(pushing(config), Folder()).finish(tmp_path)
    said = capsys.readouterr().err
    assert "could not be written on the Hub" in said and "try again with" in said
    assert "Traceback" not in said


def test_nobody_logged_in_is_said_at_once_and_not_tried_again(hub, config, tmp_path, capsys):  # noqa: F811
    pusher = Pusher(pushing(config), Folder())
    wait_until(lambda: statuses(hub, CREATE))
    pusher.finish(tmp_path)
    said = capsys.readouterr().err
    assert said.count("log in with `hf auth login`") == 2 and "the training goes on" in said
    assert statuses(hub, CREATE) == [401, 401]


def test_an_export_that_fails_is_only_told(account, config, tmp_path, capsys):  # noqa: F811
    def broken(nets, folder):
        raise RuntimeError("no pictures held out")

    pusher = Pusher(pushing(config), broken)
    pusher.offer(2, net(2))
    wait_until(lambda: "Update 2 was not pushed: no pictures held out" in capsys.readouterr().err)
    (tmp_path / "package").mkdir()
    pusher.finish(tmp_path / "package")
    assert "the package is at" in capsys.readouterr().out


def test_a_hub_that_never_answers_is_not_waited_for_for_ever(account, config, tmp_path, capsys, monkeypatch):  # noqa: F811
    monkeypatch.setattr(push, "PATIENCE", 0.2)
    account.delay = 1
    pusher = Pusher(pushing(config), Folder())
    pusher.finish(tmp_path)
    account.delay = 0
    pusher.thread.join(10)  # nothing of it outlives the loopback Hub
    assert "was not pushed: it took more than" in capsys.readouterr().err


def test_a_private_repository(account, config, tmp_path):  # noqa: F811
    options = dataclasses.replace(config, hub=Hub(repo=REPO, private=True))
    Pusher(options, Folder()).finish(tmp_path)
    assert account.repos["model", REPO].private


def test_a_package_folder_is_pushed_as_it_is(account, tiny_package, capsys):
    assert main(["export", str(tiny_package), "--push", REPO, "--private"]) == 0
    repo = account.repos["model", REPO]
    assert repo.private and len(repo.commits) == 2
    assert repo.files() == {
        path.relative_to(tiny_package).as_posix(): path.read_bytes() for path in tiny_package.rglob("*") if path.is_file()
    }
    assert f"{account.url}/{REPO}" in capsys.readouterr().out
    assert main(["export", str(tiny_package), "--push", REPO, "--title", "Another"]) == 2
    assert "already" in capsys.readouterr().err


def test_samples_of_an_earlier_package_go_and_other_files_stay(account, tmp_path):
    repo = account.add_repo(REPO)
    repo.commit({"samples/old.jpg": b"old", "LICENSE": b"free"}, "by hand")
    (tmp_path / "package" / "samples").mkdir(parents=True)
    (tmp_path / "package" / "samples" / "new.jpg").write_bytes(b"new")
    (tmp_path / "package" / ".hidden").write_bytes(b"mine")
    upload(tmp_path / "package", REPO)
    assert repo.files() == {"samples/new.jpg": b"new", "LICENSE": b"free"}


@pytest.mark.parametrize("repo", ["painter", "/painter", "user/", ""])
def test_names_of_repositories(repo):
    with pytest.raises(ValueError, match="must look like user/name"):
        Hub(repo=repo)


def test_export_must_go_somewhere(tmp_path, capsys):
    assert main(["export", str(tmp_path)]) == 2
    assert "give --out FOLDER, --push user/name, or both" in capsys.readouterr().err
    assert main(["export", str(tmp_path), "--push", REPO]) == 2
    assert "holds no finished package" in capsys.readouterr().err

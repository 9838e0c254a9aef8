"""The load benchmark waits for what visitors wait for, counts what is lost, and the demo's queue holds its crowd."""

import json
import os

import pytest

from benchmarks import app_endurance, app_load
from benchmarks.app_load import FULL, PREVIEW, Wait
from styletransfer import load_pipeline, ui
from styletransfer.catalog import read_package


def test_the_row_of_a_crowd():
    waits = [Wait(PREVIEW, seconds, [2, 1]) for seconds in (0.1, 0.2, 0.3, 0.4, 0.5)]
    waits += [Wait(FULL, 3.0, [7]), Wait(PREVIEW, 60.0, error="Queue is full!")]
    row = app_load.summary(3, 2.0, waits)
    assert row["per_second"] == 3 and row["last_place"] == 7 and row["lost"] == 1 and row["errors"] == ["Queue is full!"]
    assert row[PREVIEW] == {"count": 5, "p50": pytest.approx(0.3), "p95": pytest.approx(0.48)}
    assert row[FULL] == {"count": 1, "p50": 3.0, "p95": 3.0}
    assert app_load.table([row]).splitlines()[-1] == "| 3 | 3.0 | 0.30, 0.48 (5) | 3.00, 3.00 (1) | 7 | 1 |"
    assert "none" in app_load.table([app_load.summary(1, 1.0, [])])


def test_visitors_have_photos_of_their_own():
    assert app_load.photo(1) == app_load.photo(1) != app_load.photo(2)


def test_a_crowd_loses_nothing_and_everybody_sees_his_place(tiny_package, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(app_load, "SIZE", (160, 120))
    monkeypatch.setattr(app_load, "PAUSE", 0.0)
    results = tmp_path / "load.json"
    command = ["--package", str(tiny_package), "--visitors", "1", "20", "--seconds", "2", "--out", str(results)]
    assert app_load.main(command) == 0
    one, twenty = json.loads(results.read_text())["rows"]
    assert one["visitors"] == 1 and twenty["visitors"] == 20
    assert one["lost"] == twenty["lost"] == 0 and twenty["told_no_place"] == 0
    assert twenty[PREVIEW]["count"] + twenty[FULL]["count"] >= 20 and twenty["last_place"] > 2
    assert "| 20 |" in capsys.readouterr().out


def test_what_a_full_queue_turns_away_is_counted(tiny_package, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setattr(app_load, "SIZE", (160, 120))
    monkeypatch.setattr(app_load, "PAUSE", 0.0)
    demo = ui.build_app([read_package(tiny_package)], ui.keep_loaded(load_pipeline)).queue(
        default_concurrency_limit=1, max_size=1
    )
    try:
        _, url, _ = demo.launch(server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, **ui.LAUNCH_OPTIONS)
        row = app_load.summary(8, 2.0, app_load.load(url, 8, 2.0))
    finally:
        demo.close()
    assert row["lost"] and "Queue is full" in row["errors"][0] and row[PREVIEW]["count"]


@pytest.mark.slow
def test_nothing_is_lost_one_after_the_other_at_once_and_after_those_who_went_away(tiny_package, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(app_load, "SIZE", (160, 120))
    monkeypatch.setattr(app_endurance, "REST", 0.1)
    results = tmp_path / "endurance.json"
    command = ["--package", str(tiny_package), "--serial", "12", "--parallel", "4", "--abandoned", "3", "--out", str(results)]
    assert app_endurance.main(command) == 0
    found = json.loads(results.read_text())
    assert [(row["count"], row["lost"]) for row in found["rows"]] == [(12, 0), (4, 0), (1, 0)]
    assert found["before_mib"] > 50 and "3 more were abandoned" in capsys.readouterr().out


def test_what_a_process_holds_is_read():
    held = app_endurance.resident_mib(os.getpid())
    more = b"x" * 200_000_000
    assert app_endurance.resident_mib(os.getpid()) > held + 150 and more

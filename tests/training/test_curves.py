"""The picture of a run, and the file it is drawn from."""

import json

import numpy as np
from PIL import Image

from training.engine.curves import CHOSEN, draw, points, smooth
from training.engine.history import History


def history(chosen: int | None = 300) -> dict:
    run = History("held-out data")
    for update in range(10, 501, 10):
        losses = {"generator/content": 1 / update, "d/slope": 1.0, "generator/gradient_norm": float("inf")}
        run.add(run.losses, update, update / 10, losses)
    for update, score in ((0, 0.9), (100, 0.5), (300, 0.2), (500, 0.4)):
        run.add(run.scores, update, update / 10, {"color_distance": score, "other": 1.0})
    run.chosen = chosen
    return run.values()


def marked(path) -> tuple[int, int]:
    """How many pixels have the colour of the mark, and their mean column."""
    pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    color = [int(CHOSEN[start : start + 2], 16) for start in (1, 3, 5)]
    columns = np.nonzero(abs(pixels - color).max(axis=2) < 12)[1]
    return len(columns), int(np.median(columns)) if len(columns) else 0


def test_the_chosen_update_is_marked_where_it_is(tmp_path):
    draw(history(), tmp_path / "curves.png")
    draw(history(100), tmp_path / "earlier.png")
    draw(history(None), tmp_path / "none.png")
    count, column = marked(tmp_path / "curves.png")
    assert count > 50
    assert marked(tmp_path / "earlier.png")[1] < column
    assert marked(tmp_path / "none.png")[0] == 0
    assert Image.open(tmp_path / "curves.png").format == "PNG"


def test_a_run_without_validation_or_without_losses(tmp_path):
    draw(history() | {"scores": [], "scored_on": "held-out data", "chosen": None}, tmp_path / "losses.png")
    draw(history() | {"losses": []}, tmp_path / "scores.png")
    heights = [Image.open(tmp_path / name).height for name in ("losses.png", "scores.png")]
    draw(history(), tmp_path / "both.png")
    assert Image.open(tmp_path / "both.png").height > max(heights)


def test_points_leave_out_what_is_no_number():
    rows = [{"update": 1, "a": 2.0}, {"update": 2, "a": None}, {"update": 3}, {"update": 4, "a": 1.0}]
    assert points(rows, "a") == ([1, 4], [2.0, 1.0])


def test_smooth_by_hand():
    assert smooth([1.0, 2.0, 3.0]) == [1.0, 2.0, 3.0]
    values = [float(i) for i in range(40)]  # a window of two
    assert smooth(values)[:3] == [0.0, 0.5, 1.5]


def test_history_is_json_that_every_program_reads(tmp_path):
    run = History("held-out data")
    run.add(run.losses, 1, 0.123, {"generator/gradient_norm": float("inf"), "generator/l1": 0.5})
    run.write(tmp_path / "history.json")
    (row,) = json.loads((tmp_path / "history.json").read_text(), parse_constant=lambda name: 1 / 0)["losses"]
    assert row == {"update": 1, "seconds": 0.12, "generator/gradient_norm": None, "generator/l1": 0.5}
    assert not list(tmp_path.glob(".*.part*"))


def test_a_history_that_cannot_be_read_is_begun_again(tmp_path):
    (tmp_path / "history.json").write_text('{"losses": [')
    run = History("held-out data")
    run.read(tmp_path / "history.json", 5)
    run.read(tmp_path / "none.json", 5)
    assert run.values() == {"losses": [], "scores": [], "scored_on": "held-out data", "chosen": None}

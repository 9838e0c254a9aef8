"""The exemplars that a style keeps are those that paint best, judged on training pictures alone."""

import numpy as np
import torch
from PIL import Image

from styletransfer import load_pipeline
from styletransfer.styles import Style
from training import exemplars
from training.config import Features


def test_spread_takes_few_of_many_evenly_and_all_of_few():
    assert exemplars.spread(list(range(10)), 3) == [0, 3, 6]
    assert exemplars.spread([1, 2], 5) == [1, 2]


def test_the_best_painter_wins(tiny_package, tmp_path, monkeypatch, capsys):
    """Candidates are the paintings in train/; a judge that likes one code keeps its neighbours and no other."""
    for number in range(12):
        noise = np.random.default_rng(number).integers(0, 256, (256, 256, 3), dtype=np.uint8)
        for folder in ("photos", "paintings/alpha", "paintings/beta"):
            (tmp_path / "train" / folder).mkdir(parents=True, exist_ok=True)
            Image.fromarray(noise).save(tmp_path / "train" / folder / f"{number:02}.png")
    pipe = load_pipeline(tiny_package)
    paintings = sorted((tmp_path / "train" / "paintings" / "alpha").iterdir())
    codes = torch.cat([pipe.encode_style(Image.open(path)).codes for path in paintings])
    monkeypatch.setattr(exemplars, "score", lambda pipe, describe, probe, photos, style, code: -(code - codes[5]).norm())
    options = exemplars.Select(package=tiny_package, data=tmp_path, features=Features(weights="random"), photos=2)
    chosen = exemplars.select(pipe, options)
    best = (codes - codes[5]).norm(dim=1).argsort()[:5]
    kept = {int((codes - code).norm(dim=1).argmin()) for code in chosen["alpha"]}
    assert chosen.keys() == {"alpha", "beta"} and kept <= set(best.tolist()) and kept
    assert "5 best of 12" in capsys.readouterr().out


def test_a_score_is_a_probability_of_what_the_pipeline_paints(tiny_package, monkeypatch):
    pipe = load_pipeline(tiny_package)
    describe = exemplars.Describer(Features(weights="random"))
    photos = [Image.effect_mandelbrot((256, 256), (-2, -1.5, 1, 1.5), 20).convert("RGB")]
    code = pipe.named["beta"].codes[0]
    rows = describe(map(exemplars.as_jpeg, pipe(photos, style=Style(code[None], "x")).images))["network"]

    class Judge:
        classes = ("photo", "beta")

        def probabilities(self, given):
            torch.testing.assert_close(given, rows)
            return torch.tensor([[0.25, 0.75]])

    assert exemplars.score(pipe, describe, Judge(), photos, "beta", code).item() == 0.75

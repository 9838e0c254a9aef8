"""The composed commands are commands: `python -m training` reads each, and finds what was answered."""

import shlex
from itertools import cycle

import pytest
import tyro

from styletransfer.ui.training_command import MINUTES, PLANS, compose
from training.presets import PRESETS
from training.presets.learn_style import LearnStyle

OPTIONS = PRESETS | {"learn-style": LearnStyle}


def parse(line: str):
    """Name of the preset and its options, by the parser of `python -m training`."""
    words = shlex.split(line)
    assert words[:3] == ["python", "-m", "training"]
    return words[3], tyro.cli(OPTIONS[words[3]], args=words[4:])


def value(config, option: str) -> str:
    """What `config` holds for an option such as --data.photos."""
    for name in option.lstrip("-").split("."):
        config = getattr(config, name.replace("-", "_"))
    return str(config)


ANSWERS = [("", ""), ("my photos", "it's $HOME"), ("-x", "--y")]
PUSHES = [("", False), ("user/name", True), ("user/name", False)]


@pytest.mark.parametrize("have", PLANS)
def test_every_answer_gives_a_command_that_is_understood(have):
    for minutes, answers, (repo, private) in zip(MINUTES, cycle(ANSWERS), cycle(PUSHES), strict=False):
        training, use = compose(have, answers, minutes, repo, private).splitlines()
        preset, config = parse(training)
        plan = PLANS[have]
        assert preset == plan.preset and type(config) is OPTIONS[preset]
        for (option, placeholder), answer in zip(plan.asks, answers, strict=False):
            assert value(config, option) == (answer or placeholder)
        assert (config.minutes, config.hub.repo, config.hub.private) == (minutes, repo or None, private)
        package = "model_cards/painter" if have == "style" else f"{config.out}/pipeline"
        assert shlex.split(use) == ["python", "app.py", "--package", package]


def test_mistakes_are_named():
    for wrong, message in (
        ({"have": "cats"}, "have must be one of paintings, .*, got 'cats'"),
        ({"have": "pairs", "minutes": 0}, "minutes must be above 0, got 0"),
        ({"have": "pairs", "minutes": float("nan")}, "minutes must be above 0, got nan"),
        ({"have": "pairs", "repo": "name"}, "repo must look like user/name, got 'name'"),
    ):
        with pytest.raises(ValueError, match=message):
            compose(**wrong)


def test_the_endpoint_says_what_the_function_says(url):
    from gradio_client import Client

    client = Client(url, verbose=False, analytics_enabled=False)
    answers = {"have": "pairs", "first": "a b", "second": "", "minutes": "60", "repo": "user/name", "private": True}
    expected = compose("pairs", ("a b", ""), 60, "user/name", True)
    assert client.predict(**answers, api_name="/training_command") == expected

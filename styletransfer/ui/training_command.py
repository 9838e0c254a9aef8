"""From a few answers to the commands that train. A test gives each of them to the options of `python -m training`."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
MINUTES = (10, 60, 240, 600)


@dataclass(frozen=True)
class Plan:
    """What to train with what.

    Args:
        preset: Name that `python -m training` knows.
        asks: Its options that need an answer, and what stands for the answer until there is one.
    """

    preset: str
    asks: tuple[tuple[str, str], ...]


# by what people have
PLANS = {
    "paintings": Plan("painter", (("--data.photos", "PHOTOS"), ("--data.paintings", "PAINTINGS"))),
    "style": Plan("learn-style", (("--paintings", "PAINTINGS"), ("--name", "mine"))),
    "pairs": Plan("pix2pix", (("--data.source", "SOURCES"), ("--data.target", "TARGETS"))),
    "folders": Plan("cyclegan", (("--data.a", "BEFORE"), ("--data.b", "AFTER"))),
    "pictures": Plan("r3gan", (("--data.folder", "PICTURES"),)),
}


def compose(have: str, answers: Sequence[str] = (), minutes: int = 60, repo: str = "", private: bool = False) -> str:
    """Two commands, a line each: the training, and how to use what it made.

    `compose("pictures", ["holiday photos"], minutes=240)`

    Args:
        have: A key of `PLANS`.
        answers: A value for each option that the plan asks for; an empty one leaves its placeholder.
        minutes: Time budget, above 0.
        repo: Repository of the Hub to push to while training, user/name; empty pushes nowhere.
        private: Make the repository private, if it is new.
    """
    if have not in PLANS:
        raise ValueError(f"have must be one of {', '.join(PLANS)}, got {have!r}")
    if not minutes > 0:
        raise ValueError(f"minutes must be above 0, got {minutes}")
    repo = repo.strip()
    if repo and not HUB_ID.fullmatch(repo):
        raise ValueError(f"repo must look like user/name, got {repo!r}")
    plan = PLANS[have]
    words = ["python", "-m", "training", plan.preset]
    given = [*answers, *[""] * len(plan.asks)]
    for (option, placeholder), answer in zip(plan.asks, given, strict=False):
        answer = answer.strip() or placeholder
        words += [f"{option}={answer}"] if answer.startswith("-") else [option, answer]  # or it would look like an option
    out = f"runs/{plan.preset}"
    words += ["--minutes", f"{minutes:g}", "--out", out]
    if repo:
        words += ["--hub.repo", repo, *["--hub.private"] * private]
    package = "model_cards/painter" if have == "style" else f"{out}/pipeline"
    return f"{shlex.join(words)}\n{shlex.join(['python', 'app.py', '--package', package])}"

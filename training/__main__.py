"""`python -m training PRESET ...` trains a preset and writes its package; `python -m training --list` names all it can do."""

import sys
from importlib import import_module

from styletransfer.command import answered
from training.presets import PRESETS

COMMANDS = {  # modules of training.commands, imported when they are asked for
    "learn-style": "A new style for a trained painter: a small adapter is learned, so no other style can change.",
    "finetune": "A trained painter learns on from more paintings, with all of its networks.",
    "search": "Good options of a preset, by many short trainings.",
    "check": "What is wrong with the pictures of a training.",
    "evaluate": "Scores of a package on pictures that it was not trained on.",
    "export": "The package of a run, published into a folder, to the Hub, or both.",
    "cards": "The card of a package, written anew, with the scores of an evaluation.",
}


def main(arguments: list[str] | None = None) -> int:
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments or arguments[0] in ("--list", "--help", "-h"):
        print(listing())
        return 0
    return answered(lambda: run(*arguments))


def run(name: str, *words: str) -> int | None:
    try:
        if name in PRESETS:
            return import_module("training.commands.train").main([name, *words])
        if name in COMMANDS:
            return import_module(f"training.commands.{name.replace('-', '_')}").main([*words])
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] in ("training", "styletransfer"):
            raise
        raise OSError(f"{error.name} is missing: pip install -r training/requirements.txt") from None
    raise ValueError(f"there is no preset or command {name!r}: `python -m training --list` names them")


def listing() -> str:
    presets = {name: options.__doc__.splitlines()[0] for name, options in PRESETS.items()}
    lines = ["python -m training NAME ...; --help after the name shows its options"]
    for title, rows in {"Presets": presets, "Commands": COMMANDS}.items():
        lines += ["", f"{title}:", *(f"  {name:12} {about}" for name, about in rows.items())]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())

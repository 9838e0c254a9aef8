"""The command that repeats a training, for its card, without the paths of the machine."""

import dataclasses
import json
import shlex
from pathlib import Path

from training.options import Run

NO_PART_OF_THE_RESULT = ("out", "resume", "device", "workers", "log_every", "sample_every", "save_every", "tracker", "hub")


def describe(config: Run, *positional: str) -> str:
    """The command and every option of a training; options named in `positional` come without their name, before the others."""
    config = config.resolved()
    options = flat(config)
    words = ["python -m training", config.preset, *(shlex.quote(options[name]) for name in positional), budget(config)]
    # what has no default must be given, and is taken along whole
    none = dataclasses.MISSING
    required = {f.name: getattr(config, f.name) for f in dataclasses.fields(config) if f.default is f.default_factory is none}
    default = flat(type(config)(updates=1, **required).resolved())
    for name, value in options.items():
        if name not in ("minutes", "updates", *positional) and (value != default[name] or name.split(".")[0] in required):
            words.append(option(name, value))
    return f"```\n{' '.join(words)}\n```\n\nAll options: `{json.dumps(options)}`"


def budget(config: Run) -> str:
    return f"--minutes {config.minutes:g}" if config.updates is None else f"--updates {config.updates}"


def option(name: str, value: object) -> str:
    """An option as the command line takes it."""
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{flag}" if value else f"--no-{flag}"
    return " ".join([f"--{flag}", *(shlex.quote(str(part)) for part in (value if isinstance(value, list) else [value]))])


def flat(config: object, prefix: str = "") -> dict:
    """The options of `config` that decide on the result, by the name that the command line has for them."""
    options = {}
    for field in dataclasses.fields(config):
        name, value = prefix + field.name, getattr(config, field.name)
        if name in NO_PART_OF_THE_RESULT:
            continue
        if dataclasses.is_dataclass(value):
            options |= flat(value, f"{name}.")
        else:
            options[name] = Path(value).name if lies_here(name, value) else list(value) if isinstance(value, tuple) else value
    return options


def lies_here(name: str, value: object) -> bool:
    """Whether an option is a path: data, weights, or a package to start from that is no Hub id."""
    text = isinstance(value, str) and (name.endswith("weights") or Path(value).is_absolute() or Path(value).exists())
    return isinstance(value, Path) or text

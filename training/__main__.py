"""`python -m training PRESET ...`: train a preset and write its package."""

import sys

import tyro

from training.check import refuse
from training.config import PRESETS, save_config
from training.learn_style import LearnStyle, learn

COMMANDS = PRESETS | {"learn-style": LearnStyle}


def main(arguments: list[str] | None = None) -> int:
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments == ["--list"]:
        for name, preset in COMMANDS.items():
            print(f"{name:12} {preset.__doc__.splitlines()[0]}")
        return 0
    try:
        config = tyro.extras.subcommand_cli_from_dict(COMMANDS, prog="python -m training", args=arguments, description=__doc__)
        if isinstance(config, LearnStyle):
            learn(config)
            return 0
        from training.presets import build
        from training.trainer import Trainer

        for warning in refuse(config.data, config.out / "pictures.json"):
            print(f"warning: {warning}", file=sys.stderr)
        preset = build(config)
        config.out.mkdir(parents=True, exist_ok=True)
        save_config(config, config.out / "config.json")
        Trainer(preset, config).train()
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m training PRESET ...`: train a preset and write its package. `search PRESET ...` looks for its best options."""

import sys

import tyro

from training.check import refuse
from training.commands.finetune import Finetune, teach
from training.commands.learn_style import LearnStyle, learn
from training.options import PRESETS, save_config

COMMANDS = PRESETS | {"learn-style": LearnStyle, "finetune": Finetune}


def main(arguments: list[str] | None = None) -> int:
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments == ["--list"]:
        for name, preset in COMMANDS.items():
            print(f"{name:12} {preset.__doc__.splitlines()[0]}")
        print(f"{'search':12} Good options of a preset, by many short trainings.")
        return 0
    try:
        if arguments[:1] == ["search"]:
            from training.commands.search import search

            search(arguments[1:])
            return 0
        config = tyro.extras.subcommand_cli_from_dict(COMMANDS, prog="python -m training", args=arguments, description=__doc__)
        if isinstance(config, LearnStyle):
            learn(config, arguments)
            return 0
        if isinstance(config, Finetune):
            teach(config)
            return 0
        from training.commands.budget import as_before, fit, options_in
        from training.engine.trainer import Trainer
        from training.presets import build

        given = options_in(arguments)
        config = as_before(config, given)
        for warning in refuse(config.data, config.out / "pictures.json"):
            print(f"warning: {warning}", file=sys.stderr)
        config, plan = fit(config, given)
        preset = build(config)
        config.out.mkdir(parents=True, exist_ok=True)
        save_config(config, config.out / "config.json")
        trainer = Trainer(preset, config)
        trainer.train()
        if plan and trainer.accelerator.is_main_process:
            print(plan.review(trainer.update, trainer.seconds))
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Judging packages: `python -m training.evaluate PACKAGE --photos DIR --paintings DIR`."""

from training.evaluate.deception import Describer, evaluate, pictures, table

__all__ = ["Describer", "evaluate", "pictures", "table"]

"""Scores of packages: `python -m training evaluate PACKAGE --photos DIR --paintings DIR`."""

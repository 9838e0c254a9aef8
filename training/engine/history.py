"""What happened in a run, as numbers: history.json in its folder."""

import json
import math
from pathlib import Path

from styletransfer.files import write_text


class History:
    """Losses of each logged update and scores of each validation.

    In the file: `{"losses": [{"update": 50, "seconds": 12.3, "generator/content": 0.4}], "scores": [{"update": 500,
    "seconds": 130.0, "color_distance": 0.12}], "scored_on": "held-out data", "chosen": 500}`; null stands for no finite number,
    or for no choice.
    """

    def __init__(self, scored_on: str):
        self.scored_on = scored_on
        self.losses: list[dict] = []
        self.scores: list[dict] = []
        self.chosen: int | None = None

    def add(self, rows: list[dict], update: int, seconds: float, values: dict[str, float]) -> None:
        """Add a row to the losses or to the scores."""
        finite = {name: value if math.isfinite(value) else None for name, value in values.items()}
        rows.append({"update": update, "seconds": round(seconds, 2)} | finite)

    def values(self) -> dict:
        return {"losses": self.losses, "scores": self.scores, "scored_on": self.scored_on, "chosen": self.chosen}

    def write(self, path: Path) -> None:
        write_text(path, json.dumps(self.values(), allow_nan=False) + "\n")

    def read(self, path: Path, update: int) -> None:
        """Take over what the file says of the training until `update`; what was logged later will be logged again."""
        try:
            known = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # a log, and no part of the state: without it, a training still goes on
            return
        self.losses, self.scores = ([row for row in known[name] if row["update"] <= update] for name in ("losses", "scores"))
        self.chosen = known["chosen"]

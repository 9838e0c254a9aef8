"""The curves of a run as a picture."""

from pathlib import Path

INK, FAINT, CHOSEN = "#1f4e79", "#b9cde0", "#d1495b"
COLUMNS = 3


def draw(history: dict, path: Path) -> None:
    """Draw the score that decides, with the chosen update marked, and below it each loss, as a PNG.

    Args:
        history: As `History` writes it; one of `losses` and `scores` must hold a row.
        path: Of the picture.

    Example:
        `draw(json.loads(Path("runs/latest/history.json").read_text()), Path("curves.png"))`
    """
    from matplotlib.figure import Figure  # half a second, for the end of a training

    score = next((name for row in history["scores"] for name in row if name not in ("update", "seconds")), None)
    losses = list(dict.fromkeys(name for row in history["losses"] for name in row if shown(name)))
    lines = -(-len(losses) // COLUMNS)
    heights = ([1.6] if score else []) + [1.0] * lines
    figure = Figure(figsize=(10, 0.4 + 1.9 * sum(heights)), dpi=110, layout="constrained")
    grid = figure.add_gridspec(len(heights), COLUMNS, height_ratios=heights)
    if score:
        top = figure.add_subplot(grid[0, :])
        top.plot(*points(history["scores"], score), color=INK, marker="o", markersize=4)
        chosen = [row for row in history["scores"] if row["update"] == history["chosen"] and row[score] is not None]
        for row in chosen:
            top.axvline(row["update"], color=CHOSEN, linewidth=1, linestyle=":")
            top.plot(row["update"], row[score], color=CHOSEN, marker="o", markersize=9)
            left = 2 * row["update"] > sum(top.get_xlim())
            top.annotate(
                f"ships: update {row['update']}, {row[score]:.4g}",
                (row["update"], 1),
                xycoords=top.get_xaxis_transform(),  # along the line, above the curve
                xytext=(-8 if left else 8, -4),
                textcoords="offset points",
                ha="right" if left else "left",
                va="top",
                color=CHOSEN,
            )
        plain(top, f"{score.replace('_', ' ')} on {history['scored_on']} (lower is better)")
    for number, name in enumerate(losses):
        panel = figure.add_subplot(grid[number // COLUMNS + bool(score), number % COLUMNS])
        updates, values = points(history["losses"], name)
        panel.plot(updates, values, color=FAINT, linewidth=1)
        panel.plot(updates, smooth(values), color=INK, linewidth=1.4)
        plain(panel, name)
    figure.savefig(path)


def shown(name: str) -> bool:
    return "/" in name and not name.endswith("/gradient_norm")


def points(rows: list[dict], name: str) -> tuple[list[int], list[float]]:
    """Updates and values, where there is a value."""
    last = {row["update"]: row[name] for row in rows if row.get(name) is not None}
    return sorted(last), [last[update] for update in sorted(last)]


def smooth(values: list[float]) -> list[float]:
    """Means of the last twentieth of the values, of the first ones of fewer."""
    window = max(1, len(values) // 20)
    return [sum(part) / len(part) for part in (values[max(0, end - window) : end] for end in range(1, len(values) + 1))]


def plain(panel, title: str) -> None:
    panel.set_title(title, fontsize=9, loc="left")
    panel.tick_params(labelsize=8)
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(axis="y", linewidth=0.4, alpha=0.5)

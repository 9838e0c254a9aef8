"""Reports of `training.evaluate` as a model card shows them: tables for people, `model-index` metadata for the Hub."""

import math

from huggingface_hub import EvalResult

from training.evaluate.report import MANY, markdown

NOT_ARGUMENTS = ("metric", "name", "value")  # of a metric: these have fields
ANCHORS = {"copy": "copy of the photo", "real": "random real picture", "another painting": "another painting of the artist"}


def over_styles(rows: list[dict]) -> list[dict]:
    """`rows` with one for each metric of many styles: their mean, in place of an interval the lowest and the highest style."""
    groups: dict[str, list[dict]] = {}
    for row in rows:
        groups.setdefault(row["metric"], []).append(row)
    found = []
    for group in groups.values():
        if len(group) <= MANY:
            found += group
            continue
        values = [row["value"] for row in group if is_number(row["value"])]
        anchors = {name: mean([row["anchors"][name] for row in group]) for name in group[0]["anchors"]}
        ends = {"low": None, "high": None, "lowest": min(values), "highest": max(values)}
        found.append(group[0] | {"style": f"mean of {len(group)} styles", "value": mean(values), "anchors": anchors} | ends)
    return found


def mean(values: list[float | None]) -> float | None:
    known = [value for value in values if is_number(value)]
    return sum(known) / len(known) if known else None


def eval_results(rows: list[dict], protocol: str, task: str) -> list[EvalResult]:
    """Entries of `model-index`, of many styles their mean.

    The Hub has no field for anchors and intervals: they are the arguments of the metric.
    """
    return [
        EvalResult(
            task_type=task,
            dataset_type="held-out-pictures",
            dataset_name="Pictures that were not trained on",
            dataset_config=protocol,
            metric_type=row["metric"],
            metric_name=f"{row['name']} ({row['style']})" if row["style"] else row["name"],
            metric_value=rounded(row["value"]),
            metric_args={name: rounded(part) for name, part in row.items() if name not in NOT_ARGUMENTS and part is not None},
        )
        for row in over_styles(rows)
        if is_number(row["value"])
    ]


def describe_scores(report: dict) -> str:
    """The report as tables, each score between its anchors with its 95 % interval; then the protocol and the warnings.

    Of many styles each has a line in what comes first, and the other metrics share a table of means.
    """
    groups: dict[tuple, list[dict]] = {}
    for row in report["scores"]:
        groups.setdefault((row["name"], row["better"], row.get("note")), []).append(row)
    paragraphs, rest = [], []
    for (name, better, note), rows in groups.items():
        about = f"({better} is better{f'; {note}' if note else ''})"
        if len(rows) > MANY and "copy" in rows[0]["anchors"]:
            (row,) = over_styles(rows)
            numbers = (row["anchors"]["copy"], row["anchors"]["real"], row["value"], row["lowest"], row["highest"])
            rest.append([f"{name} {about}", *map(number, numbers)])
        else:
            paragraphs += [f"**{name}** {about}", table(rows)]
    if rest:
        heads = ["over the styles", ANCHORS["copy"], ANCHORS["real"], "**mean**", "lowest", "highest"]
        paragraphs.append(markdown(heads, rest))
    paragraphs.append(f"In brackets 95 % intervals. Protocol: {report['protocol'].rstrip('.')}.")
    if report.get("warnings"):
        paragraphs.append("\n".join(f"* {warning}" for warning in report["warnings"]))
    return "\n\n".join(paragraphs)


def table(rows: list[dict]) -> str:
    """The rows of one metric, one for each style."""
    anchors = list(dict.fromkeys(anchor for row in rows for anchor in row["anchors"]))
    heads = ["style", *(ANCHORS.get(anchor, anchor) for anchor in anchors), "**result**", "samples"]
    lines = []
    for row in rows:
        between = [number(row["anchors"].get(anchor)) for anchor in anchors]
        result = within(row["value"], [row.get("low"), row.get("high")])
        lines.append([row["style"] or "all", *between, f"**{result}**", str(row["samples"] or "-")])
    return markdown(heads, lines)


def within(value: float | None, ends: list[float | None] | None = None) -> str:
    """A value, and its interval if it is known."""
    known = ends is not None and all(map(is_number, ends))
    return number(value) + (f" ({number(ends[0])} to {number(ends[1])})" if known else "")


def number(value: float | None) -> str:
    """Two decimals, or two digits of what is smaller."""
    if not is_number(value):
        return "-"
    return f"{value:.2f}" if abs(value) >= 0.01 or value == 0 else f"{value:.2g}"


def rounded(value: object) -> object:
    """Four digits of every number in `value`."""
    if isinstance(value, dict):
        return {name: rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)

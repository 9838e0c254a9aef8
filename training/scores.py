"""Reports of `training.evaluate` as a model card shows them: tables for people, `model-index` metadata for the Hub."""

import math

from huggingface_hub import EvalResult

NOT_ARGUMENTS = ("metric", "name", "value", "anchor_intervals")  # of a metric: these have fields, or stand in the text
ANCHORS = {"copy": "copy of the photo", "real": "random real picture"}  # what tables call them
CONTENT_ANCHORS = {"copy": "the photo itself", "another photo": "another photo"}  # anchor -> its name in the report
DECEPTION = "deception_"  # and the name of the probe
CONTENT = "Content similarity, cosine of fire5 features of SqueezeNet 1.1"
MEANING = (
    "Deception rate (Sanakoyeu et al. 2018): the part of the held-out photos that, once painted, the probe takes for paintings "
    "of the style, between untouched photos and held-out real paintings."
)


def score_rows(report: dict) -> list[dict]:
    """The scores of `report`: dicts with metric, name, style, value, low, high, anchors, better, samples; maybe a note.

    Deception rates and content similarities become rows as well, for each probe and style.
    """
    # the rates are told below, with the intervals of their anchors
    rows = [row for row in report.get("scores", ()) if "deception" not in report or not row["metric"].startswith(DECEPTION)]
    samples = report.get("pictures", {}).get("held photo")

    def add(metric: str, name: str, style: str, interval: dict, anchors: dict[str, dict], **more: object) -> None:
        values = {anchor: part["value"] for anchor, part in anchors.items()}
        ends = {anchor: [part["low"], part["high"]] for anchor, part in anchors.items()}
        row = {"metric": metric, "name": name, "style": style, **interval, "anchors": values, "anchor_intervals": ends}
        rows.append(row | {"better": "higher", "samples": samples} | more)

    for probe, part in report.get("deception", {}).items():
        seen, _, note = part["statistics"].partition("; ")
        for style, entry in part["styles"].items():
            if "results" in entry:
                anchors = {"copy": entry["photos"], "real": entry["paintings"]}
                name = f"Deception rate, linear probe on {seen}"
                add(DECEPTION + probe, name, style, entry["results"], anchors, note=note or None)
    content = dict(report.get("content_similarity", {}))
    anchors = {name: content.pop(key) for name, key in CONTENT_ANCHORS.items() if key in content}
    for style, interval in content.items():
        add("content_similarity", CONTENT, style, interval, anchors)
    return rows


def eval_results(rows: list[dict], protocol: str, task: str) -> list[EvalResult]:
    """Entries of `model-index`. The Hub has no field for anchors and intervals: they are the arguments of the metric."""
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
        for row in rows
        if is_number(row["value"])
    ]


def describe_scores(report: dict) -> str:
    """The report as tables, each score between its anchors with its 95 % interval; then the protocol and the warnings."""
    groups: dict[tuple, list[dict]] = {}
    for row in score_rows(report):
        groups.setdefault((row["name"], row["better"], row.get("note")), []).append(row)
    paragraphs = []
    for (name, better, note), rows in groups.items():
        paragraphs += [f"**{name}** ({better} is better{f'; {note}' if note else ''})", table(rows)]
    if "deception" in report:
        paragraphs.append(MEANING + strength(report["deception"]))
    paragraphs.append(f"In brackets 95 % intervals. Protocol: {report['protocol'].rstrip('.')}.")
    if report.get("warnings"):
        paragraphs.append("\n".join(f"* {warning}" for warning in report["warnings"]))
    return "\n\n".join(paragraphs)


def table(rows: list[dict]) -> str:
    """The rows of one metric, one for each style."""
    anchors = list(dict.fromkeys(anchor for row in rows for anchor in row["anchors"]))
    heads = ["style", *(ANCHORS.get(anchor, anchor) for anchor in anchors), "**result**", "samples"]
    lines = [f"| {' | '.join(heads)} |", f"|---{'|---:' * (len(heads) - 1)}|"]
    for row in rows:
        ends = row.get("anchor_intervals", {})
        between = [within(row["anchors"].get(anchor), ends.get(anchor)) for anchor in anchors]
        result = within(row["value"], [row.get("low"), row.get("high")])
        lines.append(f"| {' | '.join([row['style'] or 'all', *between, f'**{result}**', str(row['samples'] or '-')])} |")
    return "\n".join(lines)


def strength(deception: dict) -> str:
    """Whether the styles get stronger as they are asked to, by the first probe."""
    rising = {style: entry["rises"] for style, entry in next(iter(deception.values()))["styles"].items() if "rises" in entry}
    if not rising:
        return ""
    falling = [style for style, rises in rising.items() if not rises]
    rises = f" The probability that the {'first ' if len(deception) > 1 else ''}probe gives to the style rises with the strength"
    return rises + (f", but not in {', '.join(falling)}." if falling else " in every style.")


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

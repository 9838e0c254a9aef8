"""Reports of `training.evaluate` as a model card shows them: tables for people, `model-index` metadata for the Hub."""

import dataclasses

from huggingface_hub import EvalResult

from training.evaluate.report import MANY, Score, is_number, over_styles, tables

NOT_ARGUMENTS = ("metric", "name", "value")  # of a metric: these have fields


def describe_scores(report: dict) -> str:
    """The report as tables, then the protocol and the warnings."""
    protocol = f"After ± half of a 95 % interval. Protocol: {report['protocol'].rstrip('.')}."
    warnings = "\n".join(f"* {warning}" for warning in report.get("warnings", ()))
    return "\n\n".join(filter(None, [tables(Score(**row) for row in report["scores"]), protocol, warnings]))


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
        for row in entries([Score(**row) for row in rows])
        if is_number(row["value"])
    ]


def entries(scores: list[Score]) -> list[dict]:
    """`scores`, of many styles one for each metric: their mean, in place of an interval the lowest and the highest style."""
    groups: dict[str, list[Score]] = {}
    for score in scores:
        groups.setdefault(score.metric, []).append(score)
    found = []
    for group in groups.values():
        if len(group) > MANY:
            values = [score.value for score in group if is_number(score.value)]
            ends = {"low": None, "high": None, "lowest": min(values), "highest": max(values)}
            found.append(dataclasses.asdict(over_styles(group)) | ends)
        else:
            found += map(dataclasses.asdict, group)
    return found


def rounded(value: object) -> object:
    """Four digits of every number in `value`."""
    if isinstance(value, dict):
        return {name: rounded(part) for name, part in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value

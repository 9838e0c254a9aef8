"""What a finetuning cost the old styles: each is scored before and after, on the same held-out photos."""

import json
from dataclasses import asdict, dataclass

from styletransfer.catalog import read_json
from styletransfer.images import open_image
from styletransfer.pipelines import load_pipeline
from styletransfer.pipelines.style_transfer import StyleTransferPipeline
from training.cards import FIELDS_FILE, write_card
from training.check.pictures import files
from training.data.folders import decode
from training.data.replay import MADE
from training.evaluate.describe import GRAM_LAYERS, Parts, Pyramid, describe, pixels
from training.finetune import Finetune
from training.losses.perceptual import relative_error
from training.metrics.intervals import Interval, bootstrap_mean
from training.metrics.style import gram_distance
from training.metrics.truth import color_distance

FILE = "forgetting.json"  # of a run
MUCH = 0.1  # lost of a style, from which on it counts as forgotten
FEW = 8  # photos


@dataclass(frozen=True)
class Loss:
    """What one old style has lost.

    Args:
        gram: Gram distance of the results to paintings of the style before and after, and that of the unpainted photos: 0 to 1.
        content: Content distance of the results to the photos before and after: 0 to 1.
        moved: Mean colour distance of each result to the old one of the same photo, and that of the old one to the photo: 0 to 1.
        lost: Part of the way from the old results to unpainted photos, in Gram distance; negative where it gained. None where
            the old results are no nearer to the paintings than the photos are.
    """

    style: str
    paintings: int
    gram: dict[str, float]
    content: dict[str, float]
    moved: dict[str, float]
    lost: Interval | None

    @property
    def forgotten(self) -> bool:
        return self.lost is not None and self.lost.value > MUCH and self.lost.low > 0


def report(config: Finetune, old: StyleTransferPipeline) -> str:
    """Compare the package of the run with `old`, write forgetting.json and a line of the card, and return a table to read."""
    folder = config.out / "pipeline"
    losses = compare(old, load_pipeline(folder), config)
    painted = read_json(config.pictures / MADE)["painted"]
    photos = len(files(config.pictures / "held" / "photos"))
    verdict = judge(losses, photos)
    content = {
        "verdict": verdict,
        "photos": photos,
        "side": config.data.crop,
        "styles": [asdict(loss) | {"painted_by_the_package": loss.style in painted} for loss in losses],
    }
    (config.out / FILE).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    fields = read_json(folder / FIELDS_FILE)
    write_card(folder, fields | {"training": f"{fields['training']}\n\n{verdict}"})
    return f"{table(losses)}\n{verdict}"


def compare(old: StyleTransferPipeline, new: StyleTransferPipeline, config: Finetune) -> list[Loss]:
    held, side = config.pictures / "held", config.data.crop
    photos = [decode(path, side) for path in files(held / "photos")]
    network = Pyramid(config.features)

    def seen(pictures) -> Parts:
        return describe(pictures, (pixels, network), side, jpeg=False)

    copies, losses = seen(photos), []
    for style in old.styles:
        paintings = [open_image(path) for path in files(held / "paintings" / style)]
        wanted = [layer.mean(dim=0) for layer in grams(seen(paintings))]
        before, after = (seen(pipe(photo, style).images[0] for photo in photos) for pipe in (old, new))
        near = {name: gram_distance(grams(parts), wanted) for name, parts in zip(NAMES, (before, after, copies), strict=True)}
        change, room = bootstrap_mean(near["after"] - near["before"]), float((near["photo"] - near["before"]).mean())
        lost = Interval(change.value / room, change.low / room, change.high / room) if room > 0 else None
        losses.append(
            Loss(
                style,
                len(paintings),
                {name: float(values.mean()) for name, values in near.items()},
                {
                    name: float(relative_error(parts["content"], copies["content"]).mean())
                    for name, parts in (("before", before), ("after", after))
                },
                {
                    "value": float(color_distance(after["pixels"], before["pixels"]).mean()),
                    "photo": float(color_distance(copies["pixels"], before["pixels"]).mean()),
                },
                lost,
            )
        )
    return losses


NAMES = ("before", "after", "photo")


def grams(parts: Parts) -> list:
    return [parts[f"gram_{layer}"] for layer in GRAM_LAYERS]


def judge(losses: list[Loss], photos: int) -> str:
    """A sentence on what was lost, as `photos` held-out photos show it."""
    forgotten = [loss for loss in losses if loss.forgotten]
    seen = f"on {photos} held-out photo{'s' * (photos > 1)}{', too few to be sure' * (photos < FEW)}"
    if not forgotten:
        worst = max((loss.lost.value for loss in losses if loss.lost is not None), default=0.0)
        return f"Old styles are kept, {seen}: none of {len(losses)} lost more than {max(worst, 0):.0%} of what sets it apart."
    names = ", ".join(f"{loss.style} ({loss.lost.value:.0%})" for loss in forgotten)
    advice = "give their paintings by --replay.paintings, raise --replay.count, or lower --rate"
    part = f"{len(forgotten)} of {len(losses)} lost more than {MUCH:.0%} of what sets them apart"
    return f"Old styles are forgotten, {seen}: {part}, {names}; {advice}."


def table(losses: list[Loss]) -> str:
    """One line for each style: before, after."""
    head = ["old style", "Gram distance", "content distance", "moved", "lost"]
    lines = [head]
    for loss in losses:
        pairs = [f"{values['before']:.3f} -> {values['after']:.3f}" for values in (loss.gram, loss.content)]
        lost = "-" if loss.lost is None else f"{loss.lost.value:.0%} ({loss.lost.low:.0%} to {loss.lost.high:.0%})"
        lines.append([loss.style, *pairs, f"{loss.moved['value']:.3f} of {loss.moved['photo']:.3f}", lost])
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)

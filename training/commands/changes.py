"""What a finetuning has changed: photos in the style of paintings, the new and the older, before and after."""

import json
from dataclasses import replace

from styletransfer.catalog import read_json
from styletransfer.pipelines import load_pipeline
from styletransfer.pipelines.style_transfer import StyleTransferPipeline
from training.data.folders import PhotosAndPaintings
from training.engine.preset import Preset
from training.evaluate.held_out import COUNT, Held
from training.packaging.cards import FIELDS_FILE, write_card
from training.presets.finetune import Finetune

FILE = "changes.json"  # of a run
SHOWN = ("neighbor_distance", "content_distance")

Changes = dict[str, dict[str, list[float]]]  # paintings -> score -> before and after


def report(config: Finetune, preset: Preset, old: StyleTransferPipeline) -> str:
    """Compare the package of the run with `old`, from before; write changes.json and a line of the card, and return the line."""
    package = config.out / "pipeline"
    device = next(preset.scorer.features.parameters()).device
    painters = [
        {"stylizer": pipe.stylizer.to(device), "encoder": pipe.encoder.to(device)} for pipe in (old, load_pipeline(package))
    ]
    folders = {"new paintings": config.data.paintings} | ({"older paintings": config.replay} if config.replay else {})
    changes: Changes = {}
    for name, folder in folders.items():
        held = PhotosAndPaintings(config.data.photos, folder, config.data.crop, config.seed, "held")
        scorer = replace(preset.scorer, held=Held(lambda held=held: held, COUNT))
        before, after = (scorer(nets) for nets in painters)
        changes[name] = {score: [before[score], after[score]] for score in SHOWN}
    (config.out / FILE).write_text(json.dumps(changes, indent=2) + "\n", encoding="utf-8")
    sentence, fields = describe_changes(changes, preset.scored_on), read_json(package / FIELDS_FILE)
    write_card(package, fields | {"training": f"{fields['training']}\n\n{sentence}"})
    return sentence


def describe_changes(changes: Changes, scored_on: str) -> str:
    """A sentence for people; `scored_on` is that of the preset."""
    parts = []
    for paintings, scores in changes.items():
        told = [f"{name.replace('_', ' ')} {before:.3f} -> {after:.3f}" for name, (before, after) in scores.items()]
        parts.append(f"{paintings}: {', '.join(told)}")
    unknown = "" if "older paintings" in changes else " What it lost of older ones is not known: --replay was given none."
    return f"Scores on {scored_on}, before and after, lower is better: {'; '.join(parts)}.{unknown}"

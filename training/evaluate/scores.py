"""Every metric of every look, between its anchors, and what to be careful about."""

from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec

from tqdm import tqdm

from styletransfer.pipelines.generation import GenerationPipeline
from styletransfer.pipelines.photo import PhotoPipeline
from training.evaluate import independent
from training.evaluate.describe import Extractor, Pyramid, describe, pixels
from training.evaluate.inception import inception, inception_rows, lpips_network
from training.evaluate.measures import DRAWS, METRICS, TESTED, Look, half
from training.evaluate.report import Score
from training.evaluate.subjects import Subject
from training.options import Features

FEW_PICTURES, FEW_IN_SETS = 30, 50
SMALLEST_FOR_FEATURES = 32  # pixels
NEEDS = {name: ("painting",) for name in independent.METRICS} | {name: metric.needs for name, metric in METRICS.items()}
DOWNLOADED = {"inception", "lpips"}
SEEN = "seen by the losses"


def unmet(pipe: PhotoPipeline | GenerationPipeline, judged: Subject, weights: bool) -> dict[str, str]:
    """Needs of metrics that a package does not meet, and why."""
    found = {}
    if not judged.single:
        found["painting"] = "no style of the package is a single painting"
    elif not weights:
        found["painting"] = "it needs a network that no loss sees: --independent.weights FILE"
    if not judged.photos:
        found["photo"] = "pictures from noise have no photo"
    elif pipe.scale > 1:
        found["size"] = "a network that enlarges is not tested for robustness"
    if judged.side < SMALLEST_FOR_FEATURES:
        small = f"feature networks need {SMALLEST_FOR_FEATURES} px, the pictures have {judged.side}"
        found |= {"features": small, "inception": small}
    if find_spec("torchmetrics") is None:
        found["torchmetrics"] = "it needs torchmetrics: pip install torchmetrics"
    return found


def choose(
    wanted: Sequence[str], pipe: PhotoPipeline | GenerationPipeline, features: Features, judged: Subject, weights: bool = False
) -> tuple[list[str], list[Extractor], list[str]]:
    """Names of the metrics to compute, extractors of what they look at, and why some are left out.

    Without a wish: all that make sense for the package and need no download but that of the features. What was wished for and
    cannot be had is an error. `weights` says whether there is a network that no loss sees.
    """
    missing = unmet(pipe, judged, weights)
    reasons = {name: missing[need] for name, needs in NEEDS.items() for need in needs if need in missing}
    if refused := [name for name in wanted if name in reasons]:
        raise ValueError(f"no {refused[0]}: {reasons[refused[0]]}")
    chosen = list(wanted) or [name for name, needs in NEEDS.items() if name not in reasons and DOWNLOADED.isdisjoint(needs)]
    needs = {need for name in chosen for need in NEEDS[name]}
    extractors: list[Extractor] = [pixels]
    if "features" in needs:
        try:
            extractors.append(Pyramid(features))
        except OSError as error:
            if wanted or features.weights is not None:
                raise
            reasons |= {name: str(error) for name in chosen if "features" in NEEDS[name]}
            chosen = [name for name in chosen if name not in reasons]
    if "inception" in needs:
        inception()  # what cannot be had is said before the painting
        extractors.append(inception_rows)
    if "lpips" in needs:
        lpips_network()
    left_out: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        if reason.startswith(("it needs", "could not")):
            left_out.setdefault(reason, []).append(name)
    return chosen, extractors, [f"no {', '.join(names)}: {reason}" for reason, names in left_out.items()]


def score(
    pipe: PhotoPipeline | GenerationPipeline,
    judged: Subject,
    features: Features,
    wanted: Sequence[str] = (),
    named: independent.NamedStyles | None = None,
) -> tuple[list[Score], list[str]]:
    """Scores of every look and metric, and warnings; with `named` those by features that no loss sees, which come first."""
    chosen, extractors, warnings = choose(wanted, pipe, features, judged, named is not None)
    metrics = {name: METRICS[name] for name in chosen if name in METRICS}
    see = partial(describe, extractors=extractors, side=judged.side)
    photos, copies = see(judged.photos) if judged.photos else {}, see(judged.copies, jpeg=judged.jpeg)
    headline, scores, few = [], [], []
    # the presets for paintings and for enlargement train on the features of SqueezeNet
    trained = pipe.task.any_painting or (bool(judged.photos) and pipe.scale > 1)
    for style, files in tqdm(judged.looks.items(), "looks", leave=False):
        look = Look(pipe, judged, style, see, photos, copies)
        if style in judged.single and len(metrics) < len(chosen):
            headline += named.scores(style, look.pictures)
        size = half(len(judged.copies), len(files))
        few += [f"{style} {size}" if style else str(size)] if 0 < size < FEW_IN_SETS else []
        for name, metric in metrics.items():
            if size > 1 or "sets" not in metric.needs:
                scores.append(metric.score(name, look, SEEN if trained and "features" in metric.needs else None))
    if few and any("sets" in metric.needs for metric in metrics.values()):
        warnings.append(
            f"distances of sets compare few pictures with as many paintings ({', '.join(few)}; 2 or more are needed): below "
            f"{FEW_IN_SETS} they tell only large differences"
        )
    if metrics and len(judged.copies) < FEW_PICTURES:
        warnings.append(f"{len(judged.copies)} results: below {FEW_PICTURES} the intervals are themselves rough")
    return [*headline, *scores], [*judged.warnings, *warnings]


def protocol(judged: Subject) -> str:
    return (
        f"{judged.protocol}. Distances of sets: mean of {DRAWS} random half samples, equally many of both, with a 95 % interval "
        f"of their spread; real: other paintings in place of results. Values of single results: mean, 95 % bootstrap interval. "
        f"Tests of robustness: the first {TESTED} photos, in place of the pipeline its networks"
    )

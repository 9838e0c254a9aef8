"""Every metric of every look, between its anchors, and what to be careful about."""

from collections.abc import Sequence
from importlib.util import find_spec

from tqdm import tqdm

from styletransfer.pipelines.generation import GenerationPipeline
from styletransfer.pipelines.photo import PhotoPipeline
from training.evaluate import independent
from training.evaluate.describe import Extractor, Pyramid, describe, pixels
from training.evaluate.inception import inception, inception_rows, lpips_network
from training.evaluate.measures import DRAWS, METRICS, PHOTO_METRICS, Sets, half
from training.evaluate.metrics.pictures import standard
from training.evaluate.report import Score
from training.evaluate.robustness import TESTS, robustness
from training.evaluate.subjects import Subject
from training.options import Features

FEW_PICTURES, FEW_IN_SETS = 30, 50
SMALLEST_FOR_FEATURES = 32  # pixels
TESTED = 8  # photos for the tests of robustness, which paint each of them many times
NAMES = (*independent.METRICS, *METRICS, *TESTS)
SEEN = "seen by the losses"


def choose(
    wanted: Sequence[str], pipe: PhotoPipeline | GenerationPipeline, features: Features, judged: Subject, weights: bool = False
) -> tuple[list[str], list, list[str]]:
    """Names of the metrics to compute, extractors of what they look at, and why some are left out.

    Without a wish: all that make sense for the package and need no download but that of the features. What was wished for and
    cannot be had is an error. `weights` says whether there is a network that no loss sees.
    """
    reasons: dict[str, str] = {}
    noise, side = not judged.photos, judged.side
    for name in NAMES:
        if name in independent.METRICS and not judged.single:
            reasons[name] = "no style of the package is a single painting"
        elif name in independent.METRICS and not weights:
            reasons[name] = "it needs a network that no loss sees: --independent.weights FILE"
        elif noise and (name in PHOTO_METRICS or name in TESTS):
            reasons[name] = "pictures from noise have no photo"
        elif name in TESTS and pipe.scale > 1:
            reasons[name] = "a network that enlarges is not tested for robustness"
        elif side < SMALLEST_FOR_FEATURES and name in METRICS and METRICS[name].parts:
            reasons[name] = f"feature networks need {SMALLEST_FOR_FEATURES} px, the pictures have {side}"
        elif name in METRICS and METRICS[name].library and find_spec(METRICS[name].library) is None:
            reasons[name] = f"it needs {METRICS[name].library}: pip install {METRICS[name].library}"
    if refused := [name for name in wanted if name in reasons]:
        raise ValueError(f"no {refused[0]}: {reasons[refused[0]]}")
    chosen = list(wanted) or [n for n in NAMES if n not in reasons and not (n in METRICS and METRICS[n].downloads)]
    needs = {part for name in chosen if name in METRICS for part in METRICS[name].parts}
    extractors: list[Extractor] = [pixels]
    if "network" in needs:
        try:
            extractors.append(Pyramid(features))
        except OSError as error:
            if wanted or features.weights is not None:
                raise
            without = [name for name in chosen if name in METRICS and "network" in METRICS[name].parts]
            reasons |= dict.fromkeys(without, str(error))
            chosen = [name for name in chosen if name not in without]
    if "inception" in needs:
        inception()  # what cannot be had is said before the painting
        extractors.append(inception_rows)
    if {"lpips", "artfid"} & {*chosen}:
        lpips_network()
    missing: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        if reason.startswith(("it needs", "could not")):
            missing.setdefault(reason, []).append(name)
    return chosen, extractors, [f"no {', '.join(names)}: {reason}" for reason, names in missing.items()]


def score(
    pipe: PhotoPipeline | GenerationPipeline,
    judged: Subject,
    features: Features,
    wanted: Sequence[str] = (),
    named: independent.NamedStyles | None = None,
) -> tuple[list[Score], list[str]]:
    """Scores of every look and metric, and warnings; with `named` those by features that no loss sees, which come first."""
    chosen, extractors, warnings = choose(wanted, pipe, features, judged, named is not None)
    warnings = [*judged.warnings, *warnings]
    metrics, tests = [name for name in chosen if name in METRICS], [name for name in chosen if name in TESTS]
    headline, scores, few = [], [], []
    # the presets for paintings and for enlargement train on the features of SqueezeNet
    trained = pipe.task.any_painting or (bool(judged.photos) and pipe.scale > 1)

    def seen(images, jpeg: bool = False) -> dict:
        return describe(images, extractors, judged.side, jpeg)

    if metrics:
        photos = seen(judged.photos) if judged.photos else {}
        copies = seen(judged.copies, judged.jpeg)
    for look, files in tqdm(judged.looks.items(), "looks", leave=False):
        first = named is not None and look in judged.single and any(name in independent.METRICS for name in chosen)
        results = list(judged.make(look)) if metrics or first else []
        if first:
            headline += named.scores(look, results)
        if metrics:
            sets = Sets(seen(results, judged.jpeg), photos, copies, seen(map(judged.read, files)))
            size = half(len(results), len(files))
            if 0 < size < FEW_IN_SETS:
                few.append(f"{look} {size}" if look else str(size))
            shown = [name for name in metrics if size > 1 or not METRICS[name].sets]
            notes = {name: SEEN if trained and "network" in METRICS[name].parts else None for name in shown}
            scores += [METRICS[name].score(name, look, sets, note) for name, note in notes.items()]
        if tests:
            scores += robustness(pipe, look, [standard(photo)[None] for photo in judged.photos[:TESTED]], tests)
    if few and any(METRICS[name].sets for name in metrics):
        warnings.append(
            f"distances of sets compare few pictures with as many paintings ({', '.join(few)}; 2 or more are needed): below "
            f"{FEW_IN_SETS} they tell only large differences"
        )
    if metrics and len(judged.copies) < FEW_PICTURES:
        warnings.append(f"{len(judged.copies)} results: below {FEW_PICTURES} the intervals are themselves rough")
    return [*headline, *scores], warnings


def protocol(judged: Subject) -> str:
    return (
        f"{judged.protocol}. Distances of sets: mean of {DRAWS} random half samples, equally many of both, with a 95 % interval "
        f"of their spread; real: other paintings in place of results. Values of single results: mean, 95 % bootstrap interval. "
        f"Tests of robustness: the first {TESTED} photos, in place of the pipeline its networks"
    )

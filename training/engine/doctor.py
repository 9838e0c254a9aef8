"""The doctor: examines a training at each logged update and describes in a sentence what goes wrong, and what helps."""

import math
from collections import defaultdict

import torch
import torch.nn.functional as F
from torch import Tensor

from training.engine.recipe import Game, Recipe, Step, within

PATIENCE = 3  # examinations in a row with the same finding: a single batch, or the first update, misleads
RAW = 0.25  # part of the training in which images are not examined: healthy networks, too, begin with one grey picture and a grid
THUMBNAIL = 16  # diversity and colour are measured at this size, where neither noise nor texture counts

TWIN = 0.1  # of the usual distance: two outputs this close are one picture
TWINS = 0.25  # share of twins among all pairs, beyond those among the inputs: what is left is four pictures at most
SURE = 0.03  # of the loss of an undecided discriminator: less is 97 % certainty, where the generator learns little
FAINT = 1e-7  # gradient of a weight; ten times Adam's epsilon, below which the updates shrink with the gradient
UNSEEN = 0.02  # mean difference of pixels in [-1, 1]: two and a half grey levels of 255
INVERTED = -0.5  # correlation of input and output; -1 is a photographic negative, unrelated pictures stay near 0
LATTICE = (
    10.0  # power of the two-pixel grid over that of frequencies near it: photos stay below 5, transposed convolutions pass 20
)
LIKE_REAL = 3.0  # times the grid of the real images, which may have one: a mosaic, say

ADVICE = {
    "nan": "A loss or gradient is no finite number. Lower the learning rates, try --precision no, or add a Lipschitz method.",
    "mode_collapse": "Different inputs give nearly the same picture. Lower the generator's learning rate, raise the batch, or "
    "play the relativistic game with R1 and R2; where a loss compares pixels with an unpaired picture, remove it.",
    "discriminator_too_strong": "The discriminator tells real from fake without error. Lower its learning rate, give it R1 or "
    "spectral norm, or change both kinds of image before it sees them (DiffAugment).",
    "vanishing_gradient": "The generator gets almost no gradient. Play a game whose generator loss does not saturate, weaken the "
    "discriminator, or bound its slope by a penalty in place of clipped weights.",
    "identity_shortcut": "The output is the input, unchanged. Lower the weights of content, cycle and identity losses, or raise "
    "the adversarial weight.",
    "colour_inversion": "Dark becomes bright and bright becomes dark. Add or raise an identity loss on the target domain, or a "
    "content loss; if it stays, start again with another seed.",
    "checkerboard": "The output has a regular grid that real images lack. Enlarge by resizing and a convolution in place of a "
    "transposed convolution, and give the discriminator no more than its usual rate.",
}


class Doctor:
    """Remembers the last examinations of a training; `examine` is one more."""

    def __init__(self, recipe: Recipe):
        self.recipe = recipe
        self.seen: dict[str, tuple[Tensor, Tensor]] = {}  # thumbnails of the last examination
        self.positive: dict[tuple[str, str], int] = defaultdict(int)  # examinations in a row, by finding and network or image

    @torch.no_grad()
    def examine(self, step: Step, values: dict[str, float]) -> dict[str, str]:
        """What is wrong by name, each with advice; empty if nothing is.

        Args:
            step: The step of this update, after it.
            values: Losses, gradient norms and slopes of this update by name.
        """
        if any(no_number(name, value) for name, value in values.items()):
            return {"nan": ADVICE["nan"]}
        playing = [game for game in self.recipe.games if within(step.progress, game.during)]
        for phase in self.recipe.phases:
            for game in playing:
                if game.discriminator in phase.players:
                    loss = values.get(f"{phase.name}/{game.discriminator}")
                    self.count("discriminator_too_strong", game.discriminator, too_strong(game, loss))
            if phase.name == "generator":
                weights = sum(p.numel() for name in phase.players for p in step.nets[name].parameters())
                self.count("vanishing_gradient", phase.name, vanishing(values.get("generator/gradient_norm"), weights))
        for source, output in step.made_of if step.progress >= RAW else ():
            self.examine_images(
                output, step[source].float(), step[output].float(), real_like(step, output, playing), bool(playing)
            )
        return {name: ADVICE[name] for (name, _), count in self.positive.items() if count >= PATIENCE}

    def examine_images(self, output: str, source: Tensor, made: Tensor, real: Tensor | None, playing: bool) -> None:
        """Examine images `made` (B, 3, H, W) of `source`: images, or noise (B, Z). `real` are images of the target domain."""
        from_images = source.ndim == 4
        origin = source if from_images else real  # noise has no distances that a picture should keep
        if origin is not None:
            pictures = thumbnail(origin), thumbnail(made)
            several = pictures
            if len(made) == 1 and output in self.seen:
                several = [torch.cat(both) for both in zip(self.seen[output], pictures, strict=True)]
            self.count("mode_collapse", output, collapsed(*several))
            self.seen[output] = pictures
        if from_images:
            self.count("colour_inversion", output, inverted(*pictures))
        # a recipe may rehearse by copying before the game begins
        if playing and source.shape == made.shape:
            self.count("identity_shortcut", output, unchanged(source, made))
        self.count("checkerboard", output, checkerboard(made, real))

    def count(self, name: str, where: str, found: bool | None) -> None:
        """Count an examination; None when nothing could be measured."""
        if found is not None:
            self.positive[name, where] = self.positive[name, where] + 1 if found else 0


def no_number(name: str, value: float) -> bool:
    """Whether a value is NaN or infinite. An infinite gradient norm is no harm: so fp16 finds the scale of its losses."""
    return math.isnan(value) or (math.isinf(value) and not name.endswith("gradient_norm"))


def too_strong(game: Game, loss: float | None) -> bool | None:
    """Whether `loss` of the discriminator is next to nothing. A Wasserstein critic is never too strong (Arjovsky et al. 2017)."""
    unsure = torch.linspace(-1, 1, 41)
    undecided = game.loss.discriminator(unsure, unsure).min().item()  # the least loss of an undecided one
    return None if loss is None or undecided <= 0 else loss < SURE * undecided


def vanishing(norm: float | None, weights: int) -> bool | None:
    """Whether a gradient of length `norm` leaves each of so many weights less than Adam can use."""
    return None if norm is None else norm / math.sqrt(weights) < FAINT


def collapsed(origin: Tensor, made: Tensor) -> bool | None:
    """Whether many pairs of thumbnails `made` (B, 3, h, w) are twins where those of `origin` are not."""
    usual = torch.pdist(origin.flatten(1), p=1)
    if not usual.any():  # one picture, or one over and over, cannot give several
        return None
    apart = torch.pdist(made.flatten(1), p=1)
    nearest = TWIN * usual.mean()
    return bool((apart < nearest).float().mean() - (usual < nearest).float().mean() > TWINS)


def unchanged(source: Tensor, made: Tensor) -> bool:
    return bool((made - source).abs().mean() < UNSEEN)


def inverted(origin: Tensor, made: Tensor) -> bool:
    """Whether bright places of thumbnails `origin` (B, 3, h, w) are dark in `made`, in the mean over images."""
    greys = [image.mean(dim=1).flatten(1) for image in (origin, made)]
    source, result = (F.normalize(grey - grey.mean(dim=1, keepdim=True)) for grey in greys)
    return bool((source * result).sum(dim=1).mean() < INVERTED)


def checkerboard(made: Tensor, real: Tensor | None) -> bool | None:
    if min(made.shape[-2:]) < THUMBNAIL:  # too few frequencies to compare
        return None
    usual = 0.0 if real is None else grid_power(real)
    return grid_power(made) > max(LATTICE, LIKE_REAL * usual)


def grid_power(image: Tensor) -> float:
    """Power of stripes and checks of two pixels (Odena et al. 2016), over that of frequencies near theirs; the largest ratio."""
    height, width = (size // 2 * 2 for size in image.shape[-2:])
    image = image[..., :height, :width]
    window = torch.hann_window(height)[:, None] * torch.hann_window(width)  # the border is no edge
    image = (image - image.mean(dim=(-2, -1), keepdim=True)) * window.to(image.device)
    power = torch.fft.fft2(image).abs().square().mean(dim=(0, 1))
    # less than half of what can be seen up and down is no grid: its peak under the window, for a stripe of one pixel
    faintest = (UNSEEN / 2 * height * width / 8) ** 2 / LATTICE
    ratios = []
    for y, x in ((0, width // 2), (height // 2, 0), (height // 2, width // 2)):
        around = power.roll((5 - y, 5 - x), (0, 1))[:11, :11].clone()
        peak = around[4:7, 4:7].mean()
        around[3:8, 3:8] = 0
        ratios.append(peak / (around.sum() / 96).clamp_min(faintest))
    return float(max(ratios))


def thumbnail(image: Tensor) -> Tensor:
    return F.adaptive_avg_pool2d(image, THUMBNAIL)


def real_like(step: Step, output: str, games: list[Game]) -> Tensor | None:
    """The real images that a discriminator compares with `output`: alone, or as the second of a pair in its channels."""
    channels = step[output].shape[1]
    for game in games:
        real = step[game.real]
        if isinstance(real, Tensor) and real.ndim == 4 and (game.fake == output or real.shape[1] == 2 * channels):
            return real[:, -channels:].float()
    return None

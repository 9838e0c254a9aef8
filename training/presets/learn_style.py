"""One more style for a trained painter: the networks are frozen, the codes of the new style are all that learns."""

import copy
import json
import shutil
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from string import Template

import numpy as np
import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn

from styletransfer.catalog import find_package
from styletransfer.controls import StyleCode, check_name, read_tensors, unit
from styletransfer.images import open_image, to_pil
from styletransfer.models.features import FeaturePyramid
from styletransfer.pipelines import load_pipeline
from styletransfer.pipelines.loading import fetch
from styletransfer.pipelines.style_transfer import STYLE_FILE, STYLES_FILE, StyleTransferPipeline
from training.cards import CARDS
from training.config import Painter
from training.data.folders import ImageFolder, random_crop
from training.data.streams import Draw, Stream, source
from training.export import encode, exemplars, thumbnail
from training.learn_style import LearnStyle
from training.losses.color import palette_distance
from training.losses.perceptual import content_distance, style_distance
from training.preset import Preset
from training.recipe import Phase, Recipe, Term
from training.steps.domains import Domains

PAINTING_SCALE = (0.45, 0.85)  # side of a crop relative to the shorter side of its painting, as the painter learned it
JUDGED = 24  # held-out samples that the result is judged on
ADDED = "## Added styles"  # of a card


class Exemplars(ModelMixin, ConfigMixin):
    """The codes of one style: where the encoder saw its exemplars (count, code_size), and a shift of all of them that is learned.

    They keep their places among each other, because a photo picks exemplars by their distances: codes that learn each for
    itself drift apart, and one of them is picked by every photo. And each painting teaches the whole style.
    """

    @register_to_config
    def __init__(self, count: int, code_size: int):
        super().__init__()
        self.register_buffer("start", torch.ones(count, code_size))
        self.shift = nn.Parameter(torch.zeros(code_size))

    @property
    def codes(self) -> Tensor:
        """All codes (count, code_size), each with unit root mean square."""
        return unit(self.start + self.shift)

    def forward(self, exemplar: Tensor) -> Tensor:
        """Codes (B, code_size) of the exemplars with the numbers (B,)."""
        return self.codes[exemplar]


class OneStyle(Domains):
    """Photos and paintings of one style; the code is the exemplar's that stands for the painting.

    Batch: `photo` (B, 3, H, W), `painting` (B, 3, H, W), `exemplar` (B,). Networks: `stylizer`, `exemplars`, `features`.
    """

    @cached_property
    def code(self) -> Tensor:
        return self.nets["exemplars"](self["exemplar"])


def learn_style(config: LearnStyle) -> Preset:
    """The painter's content, style and palette losses, with its weights; no discriminator knows the new style."""
    check_name(config.name)
    if config.features.network != "squeezenet1_1":
        raise ValueError(f"the painter's layers are those of squeezenet1_1, got --features.network {config.features.network}")
    package = fetch(find_package(config.package))
    pipe = load_pipeline(package)
    if not isinstance(pipe, StyleTransferPipeline):
        raise ValueError(f"{config.package} holds a {type(pipe).__name__}: only a painter can learn a style")
    if config.name in pipe.styles:
        raise ValueError(f"{config.package} has a style {config.name!r} already; give this one another --name")
    paintings = ImageFolder(config.paintings, config.crop).images
    looks = torch.cat([encode(pipe.encoder, painting) for painting in paintings])
    start = exemplars(looks)
    nearest = torch.cdist(looks, start).argmin(dim=1).tolist()  # each painting teaches the exemplar that looks most like it
    train, held = (
        Stream(partial(draw, source(config.photos, config.crop, part), paintings, nearest, config.crop), config.seed, part)
        for part in ("train", "held")
    )
    # by keyword: diffusers takes what is given by position for a default and forgets it
    codes = Exemplars(count=start.shape[0], code_size=start.shape[1])
    codes.start.copy_(start)
    pipe.stylizer.requires_grad_(False)
    features = FeaturePyramid(
        config.features.network,
        sorted({*Domains.content_layers, *Domains.style_layers}),
        config.features.weights,
        config.features.normalization,
    )
    recipe = Recipe(
        step=OneStyle,
        phases=(Phase("generator", ("exemplars",)),),
        terms=(
            Term("content", content_distance, ("fake_features", "photo_content"), Painter.content),
            Term("style", style_distance, ("fake_features", "painting_style", "strength"), Painter.style),
            Term("palette", palette_distance, ("fake", "painting", "strength"), Painter.palette),
        ),
    )
    return Preset(
        nets={"stylizer": pipe.stylizer, "exemplars": codes, "features": features},
        recipe=recipe,
        data=train,
        rates={"generator": 0.02},
        averaged=("exemplars",),
        average_decay=0.98,  # a style is learned in hundreds of updates
        export=StyleExport(config, package, recipe, features, start, held, len(paintings)),
    )


def draw(photo: Draw, paintings: list[Image.Image], nearest: list[int], crop: int, rng: np.random.Generator) -> dict:
    number = rng.integers(len(paintings))
    painting = random_crop(paintings[number], crop, PAINTING_SCALE, rng)
    return {"photo": photo(rng), "painting": painting, "exemplar": nearest[number]}


@dataclass(frozen=True)
class StyleExport:
    """Writes the style file with a card and a sample. Should the codes be no better than they began, those ship.

    Args:
        package: Folder of the painter.
        start: Codes (K, D) that the encoder gave.
        held: Samples of other photos, or of other scenes, and of other crops of the paintings.
        paintings: How many there are.
    """

    config: LearnStyle
    package: Path
    recipe: Recipe
    features: FeaturePyramid
    start: Tensor
    held: Stream
    paintings: int

    def __call__(self, nets: dict[str, nn.Module], folder: Path) -> None:
        pipe = load_pipeline(self.package)
        encoded, learned = (StyleCode(codes, self.config.name) for codes in (self.start, nets["exemplars"].codes))
        before, after = (self.held_out_loss(pipe, style) for style in (encoded, learned))
        better = after < before
        outcome = f"held-out loss {before:.3f} with the encoder's codes, {after:.3f} with the learned ones"
        print(outcome if better else f"{outcome}: no better, so the encoder's are kept; train longer")
        style = learned if better else encoded
        style.save(self.style_of(folder))
        photo = self.package / "samples" / "photo-1.jpg"
        photo = open_image(photo) if photo.is_file() else to_pil(self.held[0]["photo"])
        (folder / "samples").mkdir(exist_ok=True)
        thumbnail(pipe(photo, style).images[0], 256).save(folder / "samples" / f"{style.name}.jpg", quality=88)
        template = Template((CARDS / "style.md").read_text(encoding="utf-8"))
        options = f"--minutes {self.config.minutes:g}" if self.config.updates is None else f"--updates {self.config.updates}"
        fields = {
            "title": json.dumps(style.name),
            "name": style.name,
            "package": self.config.package if self.on_the_hub else f"model_cards/{self.package.resolve().name}",
            "paintings": f"{self.paintings} painting{'s' * (self.paintings > 1)}",
            "photos": "drawn scenes" if self.config.photos is None else "photos",
            "options": options,
            "outcome": outcome,
            "kept": "learned" if better else "encoder's",
        }
        (folder / "README.md").write_text(template.substitute(fields), encoding="utf-8")

    @property
    def on_the_hub(self) -> bool:
        return not Path(find_package(self.config.package)).exists()

    @staticmethod
    def style_of(folder: Path) -> Path:
        return folder / STYLE_FILE

    @torch.no_grad()
    def held_out_loss(self, pipe: StyleTransferPipeline, style: StyleCode) -> float:
        """The weighted losses of what `pipe` makes of the held-out photos, mean; the same samples at each call."""
        nets = {"stylizer": pipe.stylizer, "features": copy.deepcopy(self.features).cpu()}
        losses = []
        # the palette's directions are random; a generator of their own leaves alone the one that the training draws from
        palette = partial(palette_distance, generator=torch.Generator().manual_seed(0))
        terms = tuple(replace(term, loss=palette) if term.name == "palette" else term for term in self.recipe.terms)
        recipe = replace(self.recipe, terms=terms)
        for position in range(JUDGED):
            step = OneStyle(nets, torch.utils.data.default_collate([self.held[position]]))
            step.strength, step.code = torch.ones(1), pipe.codes(step["photo"], [style])
            losses.append(sum(recipe.losses(step, recipe.phases[0]).values()))
        return torch.stack(losses).mean().item()


def add_style(package: Path, learned: Path, folder: Path) -> None:
    """Copy `package` to `folder` and add the style in the folder `learned`: its codes, its thumbnail, a line of the card.

    The files of the networks are copied byte for byte.
    """
    style = StyleCode.load(learned / STYLE_FILE)
    shutil.copytree(package, folder, dirs_exist_ok=True)
    styles = read_tensors(folder / STYLES_FILE)[0] | {style.name: style.codes.contiguous()}
    save_file(styles, folder / STYLES_FILE)
    shutil.copytree(learned / "samples", folder / "samples", dirs_exist_ok=True)
    card = folder / "README.md"
    text = card.read_text(encoding="utf-8").rstrip() if card.is_file() else ""
    if ADDED not in text:
        text += f"\n\n{ADDED}\n"
    line = f"* {style.name}: {len(style.codes)} codes, learned later by `python -m training learn-style`; no network was changed."
    card.write_text(f"{text}\n{line}\n", encoding="utf-8")

"""What a user steers with: styles and their files, mixing, and the photo's own colours."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from styletransfer.color import LUMA, Palette
from styletransfer.files import write_bytes

FORMAT = "styletransfer.style.v2"
ABOUT = ("title", "artist", "year", "group", "source", "licence")  # what a style file may say of its painting
LONGEST = 300  # characters of each
TYPES = {
    torch.float64,
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.int16,
    torch.int8,
    torch.uint8,
    torch.bool,
}
MAX_PAINTINGS = 1000  # of one style: every photo is compared with each
LARGEST = 20  # megabytes of a style file: many times what an adapter takes


@dataclass(frozen=True, eq=False)
class Style:
    """A style: the code and the palette of each painting it was made of, and what the generator learned of them.

    Args:
        codes: One (K, D) for each painting, with unit root mean square.
        name: What to call it. Slashes, commas and equal signs are kept for paths and mixtures of styles.
        palettes: The colours of each painting; a photo takes the code and the colours of the nearest. Without palettes the photo
            keeps its colours, and there is one code.
        adapter: Factors of a `StyleAdapter`, by name; empty for a style that the encoder saw and nobody trained.
        about: Of the painting: `title`, `artist`, `year`, the `group` that it hangs with on the page, `source`, `licence`.

    Example:
        `pipe.encode_style(painting, name="my style").save("my-style.safetensors")`
    """

    codes: Tensor
    name: str
    palettes: tuple[Palette, ...] = ()
    adapter: Mapping[str, Tensor] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self):
        check_name(self.name)
        codes = self.codes
        if not isinstance(codes, Tensor) or codes.ndim != 2 or not codes.numel() or not codes.is_floating_point():
            got = f"{tuple(codes.shape)} of {codes.dtype}" if isinstance(codes, Tensor) else type(codes).__name__
            raise ValueError(f"codes of style {self.name!r} must be a tensor (K, D) of floats, got {got}")
        if len(codes) > MAX_PAINTINGS:
            raise ValueError(f"style {self.name!r} is made of {len(codes)} paintings, and at most {MAX_PAINTINGS} are taken")
        codes = codes.detach().float().cpu()
        rms = codes.square().mean(dim=1).sqrt()
        if not torch.isfinite(codes).all() or (rms - 1).abs().max() > 0.01:
            raise ValueError(f"codes of style {self.name!r} must be finite, each with root mean square 1, got {rms.tolist()}")
        if len(self.palettes) != len(codes) and (self.palettes or len(codes) > 1):
            raise ValueError(f"style {self.name!r} must have a palette for each of {len(codes)} codes, got {len(self.palettes)}")
        if broken := [name for name, factor in self.adapter.items() if not torch.isfinite(factor).all()]:
            raise ValueError(f"style {self.name!r} has values that are not finite in its adapter: {', '.join(broken[:3])}")
        object.__setattr__(self, "codes", codes)

    def save(self, path: str | Path) -> None:
        """Write a style file, of half a megabyte with an adapter; `Style.load` and `pipe.load_style` read it."""
        tensors = {"codes": self.codes.contiguous()}
        if self.palettes:
            tensors["means"] = torch.stack([palette.mean for palette in self.palettes])
            tensors["covariances"] = torch.stack([palette.covariance for palette in self.palettes])
        tensors |= {f"adapter.{name}": factor.half().contiguous() for name, factor in self.adapter.items()}
        write_bytes(path, save(tensors, metadata={"format": FORMAT, "name": self.name, **self.about}))

    @classmethod
    def load(cls, path: str | Path) -> "Style":
        size = Path(path).stat().st_size / 1e6 if Path(path).is_file() else 0
        if size > LARGEST:
            raise ValueError(f"{path} is too large for a style file: {size:.0f} MB, at most {LARGEST}")
        tensors, metadata = read_tensors(path)
        known = {"codes", "means", "covariances"}
        if metadata.get("format") != FORMAT or "name" not in metadata or "codes" not in tensors:
            raise ValueError(f"{path} is not a style file: it should hold a tensor called codes, and say format {FORMAT}")
        if unknown := [name for name in tensors if name not in known and not name.startswith("adapter.")]:
            raise ValueError(f"{path} is not a style file: it holds {unknown[0]!r}")
        means, covariances = tensors.get("means", torch.empty(0, 3)), tensors.get("covariances", torch.empty(0, 3, 3))
        if means.ndim != 2 or covariances.ndim != 3 or len(means) != len(covariances):
            raise ValueError(f"{path} must hold a mean and a covariance for each palette")
        return cls(
            tensors["codes"],
            metadata["name"],
            tuple(Palette(mean.float(), covariance.float()) for mean, covariance in zip(means, covariances, strict=True)),
            {name.removeprefix("adapter."): tensor.float() for name, tensor in tensors.items() if name.startswith("adapter.")},
            {name: metadata[name][:LONGEST] for name in ABOUT if name in metadata},
        )

    def named(self, name: str) -> "Style":
        """The same style under another name."""
        return replace(self, name=name)

    def nearest(self, photo: Palette) -> int:
        """Number of the painting whose palette is nearest to that of `photo`, so that different photos keep different colours."""
        return min(range(len(self.palettes)), key=lambda number: self.palettes[number].distance(photo), default=0)


def check_name(name: str) -> None:
    fits = isinstance(name, str) and 1 <= len(name) <= 64 and name.isprintable() and name == name.strip()
    if not fits or set(name) & set("/\\,="):
        raise ValueError(f"a style's name must be 1 to 64 characters without / \\ , = and without spaces around, got {name!r}")


def read_tensors(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a safetensors file.

    Raises:
        FileNotFoundError: where there is none.
        ValueError: where it is none, or holds numbers that are not computed with, such as floats of 8 bits.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path} does not exist")
    try:
        with safe_open(path, "pt") as file:
            tensors, metadata = {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, RuntimeError, AttributeError) as error:
        raise ValueError(f"{path} is not a readable safetensors file: {error}") from None
    for name, tensor in tensors.items():
        if tensor.dtype not in TYPES:
            kind = str(tensor.dtype).removeprefix("torch.")
            raise ValueError(f"{path} holds {kind} in {name}; convert its tensors to float16 or float32")
    return tensors, metadata


def unit(code: Tensor) -> Tensor:
    """`code` (..., D) scaled to a root mean square of 1; zero stays zero."""
    return code / code.square().mean(dim=-1, keepdim=True).sqrt().clamp_min(1e-6)


def mix(codes: Tensor, weights: Tensor) -> Tensor:
    """Sum (D,) of `codes` (N, D) by `weights` (N,), with the sum of the weights as its root mean square."""
    return weights.sum() * unit(weights @ codes)


def keep_color(painted: Tensor, photo: Tensor, degree: float) -> Tensor:
    """`painted` (B, 3, H, W) in [-1, 1] with its own luma, and chroma a share `degree` of the way to that of `photo`.

    What a colour has beyond its luma is its chroma: the Cb and Cr of BT.601 are linear in it. Where the two do not fit into
    [-1, 1] together the chroma shrinks, so that brush strokes and hues survive.
    """
    weights = painted.new_tensor(LUMA).view(1, 3, 1, 1)
    luma = (painted * weights).sum(dim=1, keepdim=True)
    chroma = torch.lerp(painted - luma, photo - (photo * weights).sum(dim=1, keepdim=True), degree)
    room = torch.where(chroma > 0, 1 - luma, 1 + luma) / chroma.abs().clamp_min(1e-6)
    return luma + chroma * room.amin(dim=1, keepdim=True).clamp(0, 1)

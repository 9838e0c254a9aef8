"""What a user steers with: style codes and their files, mixing, and the photo's own colours."""

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

FORMAT = "styletransfer.style.v1"
CHOICE_TEMPERATURE = 0.2
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


@dataclass(frozen=True, eq=False)
class StyleCode:
    """A style: one or more exemplar codes, of which the photo picks.

    Args:
        codes: Exemplars (K, D), each with unit root mean square.
        name: What to call it. Slashes, commas and equal signs are kept for paths and mixtures of styles.

    Example:
        `pipe.encode_style(painting, name="my style").save("my-style.safetensors")`
    """

    codes: Tensor
    name: str

    def __post_init__(self):
        check_name(self.name)
        codes = self.codes
        if not isinstance(codes, Tensor) or codes.ndim != 2 or not codes.numel() or not codes.is_floating_point():
            got = f"{tuple(codes.shape)} of {codes.dtype}" if isinstance(codes, Tensor) else type(codes).__name__
            raise ValueError(f"codes of style {self.name!r} must be a tensor (K, D) of floats, got {got}")
        codes = codes.detach().float().cpu()
        rms = codes.square().mean(dim=1).sqrt()
        if not torch.isfinite(codes).all() or (rms - 1).abs().max() > 0.01:
            raise ValueError(f"codes of style {self.name!r} must be finite, each with root mean square 1, got {rms.tolist()}")
        object.__setattr__(self, "codes", codes)

    def save(self, path: str | Path) -> None:
        """Write a style file of a few kilobytes; `StyleCode.load` and `pipe.load_style` read it."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({"codes": self.codes.contiguous()}, path, metadata={"name": self.name, "format": FORMAT})

    @classmethod
    def load(cls, path: str | Path) -> "StyleCode":
        tensors, metadata = read_tensors(path)
        if metadata.get("format") != FORMAT or tensors.keys() != {"codes"} or "name" not in metadata:
            raise ValueError(f"{path} is not a style file: it should hold one tensor, codes, and say format {FORMAT}")
        return cls(tensors["codes"], metadata["name"])


def check_name(name: str) -> None:
    fits = isinstance(name, str) and 1 <= len(name) <= 64 and name.isprintable() and name == name.strip()
    if not fits or set(name) & set("/\\,="):
        raise ValueError(f"a style's name must be 1 to 64 characters without / \\ , = and without spaces around, got {name!r}")


def read_tensors(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a safetensors file."""
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path} does not exist")
    try:
        with safe_open(path, "pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise ValueError(f"{path} is not a readable safetensors file: {error}") from None


def unit(code: Tensor) -> Tensor:
    """`code` (..., D) scaled to a root mean square of 1; zero stays zero."""
    return code / code.square().mean(dim=-1, keepdim=True).sqrt().clamp_min(1e-6)


def choose(exemplars: Tensor, look: Tensor, temperature: float = CHOICE_TEMPERATURE) -> Tensor:
    """One code (D,) of `exemplars` (K, D): those nearest to `look` (D,), the photo's own code, weigh most.

    This is what lets photos of different palettes keep them. Squared distances are measured in `temperature` times the variance
    of the exemplars, because codes lie in a narrow cone.
    """
    distance = (exemplars - look).square().sum(dim=1)
    variance = exemplars.var(dim=0, correction=0).sum().clamp_min(1e-12)
    return unit((-distance / (temperature * variance)).softmax(dim=0) @ exemplars)


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

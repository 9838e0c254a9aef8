"""Differentiable augmentation of what a discriminator sees (Zhao et al. 2020, https://arxiv.org/abs/2006.10738)."""

import torch
import torch.nn.functional as F
from torch import Tensor


def diff_augment(image: Tensor) -> Tensor:
    """Change colours, move and cut out a piece of each of the images (B, C, H, W), each in its own way (sec. 3)."""
    return cutout(translate(change_color(image)))


def change_color(image: Tensor) -> Tensor:
    """Brightness by -0.5..0.5, saturation times 0..2, contrast times 0.5..1.5."""
    brightness, saturation, contrast = torch.rand(3, len(image), 1, 1, 1, device=image.device, dtype=image.dtype)
    image = image + (brightness - 0.5)
    gray = image.mean(dim=1, keepdim=True)
    image = gray + 2 * saturation * (image - gray)
    mean = image.mean(dim=(1, 2, 3), keepdim=True)
    return mean + (0.5 + contrast) * (image - mean)


def translate(image: Tensor, ratio: float = 0.125) -> Tensor:
    """Move each image by up to `ratio` of its sides; zeros come in."""
    count, _, height, width = image.shape
    down, right = (random_place(image, -round_up(side * ratio), round_up(side * ratio)) for side in (height, width))
    rows, columns = torch.arange(height, device=image.device), torch.arange(width, device=image.device)
    # one frame of zeros, where all places outside of the image lead
    rows = (rows + 1 - down).clamp(0, height + 1)[:, :, None]  # (B, H, 1)
    columns = (columns + 1 - right).clamp(0, width + 1)[:, None, :]  # (B, 1, W)
    framed = F.pad(image, (1, 1, 1, 1)).permute(0, 2, 3, 1)
    number = torch.arange(count, device=image.device)[:, None, None]
    return framed[number, rows, columns].permute(0, 3, 1, 2)


def cutout(image: Tensor, ratio: float = 0.5) -> Tensor:
    """Set a rectangle of `ratio` times the sides of each image to zero; its centre is anywhere in the image."""
    inside = []
    for side in image.shape[2:]:
        cut = round_up(side * ratio)
        start = random_place(image, 0, side - cut % 2) - cut // 2
        place = torch.arange(side, device=image.device)
        inside.append((place >= start) & (place < start + cut))  # (B, side)
    rows, columns = inside
    return image * ~(rows[:, None, :, None] & columns[:, None, None, :])


def round_up(length: float) -> int:
    """The nearest whole number, halves upwards."""
    return int(length + 0.5)


def random_place(image: Tensor, low: int, high: int) -> Tensor:
    """A whole number (B, 1) for each image, `high` included."""
    return torch.randint(low, high + 1, (len(image), 1), device=image.device)

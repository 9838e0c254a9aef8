"""How a package behaves when its photo, the camera or the strength changes a little."""

from collections.abc import Callable
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from styletransfer.images import to_pil, to_tensor
from training.evaluate.metrics.pictures import as_jpeg

EPSILON, STEPS = 2 / 255 * 2, 5  # the range of a photo is 2
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
FRAMES, WINDOW, MARGIN = 4, 192, 8  # pixels; the margin holds what only one of two frames shows
DRIFT, ZOOM = (1.5, 0.75), 1.01  # of the camera from frame to frame: pixels right and down, and scale

Paint = Callable[..., Tensor]  # photo (1, 3, H, W) in [-1, 1], strength -> painting, differentiable


def identity(photo: Tensor, strength: float = 1.0) -> Tensor:
    return photo


def adversarial_gain(paint: Paint, photo: Tensor) -> float:
    """Change of the painting over change of the photo, at the change within 2/255 that PGD finds (Madry et al. 2018, sec. 2)."""
    clean = paint(photo).detach()
    random = torch.Generator().manual_seed(0)
    delta = (torch.rand(photo.shape, generator=random) * 2 - 1) * EPSILON
    for _ in range(STEPS):
        delta.requires_grad_(True)
        with torch.enable_grad():
            change = (paint(photo + delta) - clean).square().mean()
            (slope,) = torch.autograd.grad(change, delta)
        delta = (delta.detach() + EPSILON / 2 * slope.sign()).clamp(-EPSILON, EPSILON)
        delta = (photo + delta).clamp(-1, 1) - photo
    return ratio(paint(photo + delta) - clean, delta)


def jpeg_gain(paint: Paint, photo: Tensor) -> float:
    """Change of the painting over change of the photo, when the photo went through JPEG quality 75."""
    saved = to_tensor(as_jpeg(to_pil(photo), 75))
    return ratio(paint(saved) - paint(photo), saved - photo)


def flicker(paint: Paint, photo: Tensor) -> float:
    """What of a moving camera's change stays when the motion is undone, over the change of the frames themselves.

    Frames of 192 px are cut from `photo` by a window that pans and zooms; each painted frame is moved back to the one before.
    """
    windows = [window(number, photo.shape[-1]) for number in range(FRAMES)]
    frames = [view(photo, place, WINDOW) for place in windows]
    painted = [paint(frame) for frame in frames]
    kept, moved = [], []
    for (before, after), (first, second), (a, b) in zip(pairwise(windows), pairwise(painted), pairwise(frames), strict=True):
        back = torch.linalg.inv(after) @ before  # a point of the frame before, in the frame after
        kept.append((view(second, back, WINDOW) - first)[..., MARGIN:-MARGIN, MARGIN:-MARGIN])
        moved.append((b - a)[..., MARGIN:-MARGIN, MARGIN:-MARGIN])
    return ratio(torch.cat(kept), torch.cat(moved))


def window(number: int, side: int) -> Tensor:
    """Matrix (3, 3) from a frame's coordinates to those of the photo, both from -1 to 1 (see `affine_grid`)."""
    scale = WINDOW / side * ZOOM**number
    shift = [(pixels * (number - (FRAMES - 1) / 2)) * 2 / side for pixels in DRIFT]
    return torch.tensor([[scale, 0, shift[0]], [0, scale, shift[1]], [0, 0, 1]])


def view(image: Tensor, place: Tensor, side: int) -> Tensor:
    grid = F.affine_grid(place[None, :2], [1, 1, side, side], align_corners=False)
    return F.grid_sample(image, grid, mode="bicubic", align_corners=False).clamp(-1, 1)


def rise_with_strength(paint: Paint, photo: Tensor) -> float:
    """Part of the steps of strength from 0 to 1 by quarters at which the painting moves farther away from the photo."""
    distances = [(paint(photo, strength=strength) - photo).square().mean() for strength in STRENGTHS]
    return sum(float(after > before) for before, after in pairwise(distances)) / (len(STRENGTHS) - 1)


def ratio(change: Tensor, cause: Tensor) -> float:
    """Root mean square of one over that of the other; 0 where nothing causes anything."""
    return float(change.square().mean().sqrt() / cause.square().mean().sqrt().clamp_min(1e-6))

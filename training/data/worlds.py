"""Style worlds: drawn scenes, and renderers that turn any picture into a style. The truth of a translation is known.

A renderer is a function of the picture around each pixel, so that a network can learn it. Its patterns repeat every four pixels
(pictures of 512 px and more have coarser ones): a network that halves the resolution twice knows where in a pattern a pixel lies.
A renderer gets a random generator too; these six make no use of it, since nobody can learn chance.

    >>> picture = scene(128, np.random.default_rng(0))
    >>> drawing = RENDERERS["hatching"](picture, np.random.default_rng(0))
"""

from collections.abc import Callable

import cv2
import numpy as np

from training.data.scenes import scene

__all__ = ["RENDERERS", "scene"]

CREAM = np.float32([0.96, 0.93, 0.85])
SEPIA = np.float32([0.14, 0.10, 0.12])
GROUT = np.float32([0.34, 0.32, 0.33])
WARM, COOL = np.float32([[0.28, 0.14, -0.12], [-0.12, 0.04, 0.22]])
EVENING = np.float32([[0.10, 0.07, 0.28], [0.48, 0.14, 0.46], [0.96, 0.48, 0.30], [1.0, 0.93, 0.70]])  # dark to bright
GRAY = np.float32([0.299, 0.587, 0.114])  # ITU-R BT.601 luma


# --- renderers ---


def pointillism(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Round dots of pure colour on canvas, every second one warm and the others cool; darker places have larger dots."""
    photo, pitch = to_floats(image), pitch_of(image)
    result = 0.7 * CREAM + 0.3 * cv2.blur(photo, (2 * pitch - 1,) * 2)
    for tint, offset in ((WARM, 0), (COOL, pitch // 2)):
        color, down, right = cells(photo, pitch, offset)
        color = np.clip(vivid(color, 1.8) * 0.8 + tint, 0, 1)
        radius = pitch * (0.44 - 0.14 * (color @ GRAY))
        dot = np.clip(radius - np.hypot(down, right) + 0.5, 0, 1)[..., None]
        result += dot * (color - result)
    return to_bytes(result)


def hatching(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Pen and wash: a pale tint of the colours, contours, and crossed lines that thicken as the picture darkens."""
    photo, pitch = to_floats(image), pitch_of(image)
    gray = cv2.GaussianBlur(photo @ GRAY, (0, 0), pitch / 4) ** 0.75
    y, x = np.mgrid[: gray.shape[0], : gray.shape[1]].astype(np.float32)
    lines = contours(gray, pitch / 4)
    for place, light in ((x + y, 0.85), (x - y, 0.5)):
        away = np.abs((place + pitch / 2) % pitch - pitch / 2) / 2**0.5
        half = 0.2 * pitch * np.clip(1.4 * (light - gray) / light, 0, 1)
        lines = np.maximum(lines, np.clip(half - away + 0.5, 0, 1) * np.clip(10 * (light - gray), 0, 1))
    paper = 0.55 * CREAM + 0.45 * vivid(cv2.blur(photo, (pitch + 1,) * 2), 1.5)
    return to_bytes(paper + 0.9 * lines[..., None] * (SEPIA - paper))


def cartoon(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Flat, vivid colours in four steps of brightness, with dark contours."""
    flat = to_floats(image)
    for _ in range(2):
        flat = cv2.bilateralFilter(flat, 7, 0.2, 3)
    gray = flat @ GRAY
    steps = np.interp(gray % 0.25, [0, 0.07, 0.18, 0.25], [0, 0, 0.25, 0.25]) + gray // 0.25 / 4  # steep, but no jumps
    bright = (0.15 + 0.9 * steps) / np.maximum(gray, 0.06)
    flat = vivid(flat * bright[..., None].astype(np.float32), 1.6)
    return to_bytes(flat * (1 - 0.9 * contours(gray, 1)[..., None]))


def mosaic(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Square tiles of one colour each, lit from the upper left, in gray grout."""
    photo, pitch = to_floats(image), pitch_of(image)
    color, down, right = cells(photo, pitch, 0)
    light = 1.1 - 0.5 * (down + right)[..., None] / pitch
    tiles = vivid(0.12 + color, 1.6) * light
    grout = ((down >= 0.5 * pitch - 1) | (right >= 0.5 * pitch - 1))[..., None]
    return to_bytes(np.where(grout, GROUT, tiles))


def ink(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Brush and ink on paper: three washes of gray, and black strokes along the contours."""
    photo, pitch = to_floats(image), pitch_of(image)
    gray = cv2.GaussianBlur(photo @ GRAY, (0, 0), pitch / 4) ** 0.75
    wash = sum(1 / (1 + np.exp(-(gray - edge) * 50)) for edge in (0.3, 0.5, 0.7)) / 3
    paper = SEPIA + (CREAM - SEPIA) * (0.2 + 0.8 * wash)[..., None]
    strokes = np.minimum(2 * contours(gray, pitch / 3), 1)[..., None]
    return to_bytes(paper + strokes * (SEPIA - paper))


def palette(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The colours of an evening: indigo, purple, orange and cream by brightness, with a rest of the former hue."""
    photo = to_floats(image)
    gray = photo @ GRAY
    evening = np.stack([np.interp(gray, np.linspace(0, 1, len(EVENING)), channel) for channel in EVENING.T], axis=-1)
    return to_bytes(evening + 0.4 * (photo - gray[..., None]))


RENDERERS: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    renderer.__name__: renderer for renderer in (pointillism, hatching, cartoon, mosaic, ink, palette)
}


# --- what they share ---


def to_floats(image: np.ndarray) -> np.ndarray:
    return image.astype(np.float32) / 255


def to_bytes(image: np.ndarray) -> np.ndarray:
    return (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)


def pitch_of(image: np.ndarray) -> int:
    """Pixels between two marks of a pattern."""
    return 4 * max(1, min(image.shape[:2]) // 256)


def vivid(color: np.ndarray, factor: float) -> np.ndarray:
    """Colours with `factor` times their saturation."""
    gray = (color @ GRAY)[..., None]
    return np.clip(gray + factor * (color - gray), 0, 1)


def contours(gray: np.ndarray, width: float) -> np.ndarray:
    """Dark sides of edges, 0..1: a difference of Gaussians, sharpened (Winnemöller et al. 2012, XDoG)."""
    fine, wide = (cv2.GaussianBlur(gray, (0, 0), sigma * width) for sigma in (0.8, 1.6))
    return np.clip((wide - fine) * 16 - 0.2, 0, 1)


def cells(photo: np.ndarray, pitch: int, offset: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """At each pixel: the mean colour (H, W, 3) of its square cell, and the ways (H, W) down and right from the cell's centre."""
    height, width = photo.shape[:2]
    below, right = pitch + -(height + offset) % pitch, pitch + -(width + offset) % pitch
    padded = cv2.copyMakeBorder(photo, offset, below, offset, right, cv2.BORDER_REFLECT)
    rows, columns = padded.shape[0] // pitch, padded.shape[1] // pitch
    color = cv2.resize(padded[: rows * pitch, : columns * pitch], (columns, rows), interpolation=cv2.INTER_AREA)
    color = color.repeat(pitch, 0).repeat(pitch, 1)[offset : offset + height, offset : offset + width]
    y, x = np.mgrid[offset : offset + height, offset : offset + width].astype(np.float32)
    return color, y % pitch - (pitch - 1) / 2, x % pitch - (pitch - 1) / 2

"""Drawn scenes: landscapes and still lifes, endless and without a licence. Places and lengths are parts of the picture's side."""

import cv2
import numpy as np

# colours in RGB, 0..1: top of the sky, horizon, sun or moon
SKIES = np.float32(
    [
        [[0.24, 0.48, 0.80], [0.80, 0.89, 0.95], [1.00, 0.98, 0.88]],  # noon
        [[0.33, 0.37, 0.62], [0.98, 0.72, 0.48], [1.00, 0.87, 0.60]],  # evening
        [[0.58, 0.62, 0.68], [0.85, 0.86, 0.86], [0.95, 0.95, 0.92]],  # overcast
        [[0.55, 0.62, 0.82], [0.99, 0.85, 0.82], [1.00, 0.95, 0.85]],  # morning
        [[0.06, 0.08, 0.22], [0.25, 0.28, 0.48], [0.95, 0.95, 0.85]],  # night
    ]
)
FIELDS = np.float32([[0.36, 0.52, 0.20], [0.70, 0.60, 0.28], [0.82, 0.72, 0.52], [0.28, 0.42, 0.24], [0.88, 0.90, 0.94]])
ROCKS = np.float32([[0.32, 0.36, 0.48], [0.45, 0.36, 0.32], [0.24, 0.38, 0.32], [0.40, 0.30, 0.42]])
WALLS = np.float32([[0.86, 0.82, 0.72], [0.78, 0.40, 0.32], [0.92, 0.92, 0.90], [0.55, 0.62, 0.68]])
CROWNS = np.float32([[0.20, 0.38, 0.14], [0.36, 0.46, 0.14], [0.72, 0.40, 0.12], [0.14, 0.30, 0.22], [0.85, 0.62, 0.66]])
FRUITS = np.float32([[0.80, 0.14, 0.12], [0.93, 0.55, 0.10], [0.92, 0.82, 0.25], [0.50, 0.68, 0.18], [0.42, 0.14, 0.34]])
CLOTHS = np.float32([[0.50, 0.32, 0.20], [0.88, 0.86, 0.80], [0.28, 0.38, 0.55], [0.60, 0.20, 0.22], [0.35, 0.42, 0.34]])


def scene(size: int, rng: np.random.Generator) -> np.ndarray:
    """A drawn landscape or still life, uint8 (size, size, 3)."""
    canvas = (landscape if rng.random() < 0.6 else still_life)(2 * size, rng)
    picture = cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA)
    picture *= rng.uniform(0.85, 1.1, 3).astype(np.float32)  # colour and strength of the light
    return (picture.clip(0, 1) * 255 + 0.5).astype(np.uint8)


def landscape(n: int, rng: np.random.Generator) -> np.ndarray:
    """Sky with sun and clouds, ranges of mountains, a field or a lake, trees and houses; float32 (n, n, 3)."""
    top, haze, sun = pick(SKIES, rng)
    horizon = rng.uniform(0.4, 0.65)
    y, x = places(n)
    canvas = np.zeros((n, n, 3), np.float32) + top + (haze - top) * np.clip(y / horizon, 0, 1) ** 1.5
    away = np.hypot(x - rng.uniform(0.1, 0.9), y - rng.uniform(0.1, 0.8) * horizon) / rng.uniform(0.03, 0.08)
    cover(canvas, 0.6 * np.exp(-away / 2.5), sun)
    cover(canvas, np.clip((1 - away) * 8, 0, 1), sun)
    clouds = noise(n, rng, 3, stretch=2) + rng.uniform(-1.2, 0.6)
    cover(canvas, 0.8 * np.clip(clouds, 0, 1) * np.clip(2 - 2 * y / horizon, 0, 1), 0.4 * haze + 0.6)

    rock = pick(ROCKS, rng)
    for near in np.linspace(0, 1, rng.integers(3, 6))[1:-1].tolist():  # one to three ranges, far ones first
        ridge = horizon - rng.uniform(0.03, 0.12) * (1.8 - near) * (1.5 + noise(n, rng, 3)[:1])
        stone = (rock + (haze - rock) * (1 - near)) * (1 + 0.12 * noise(n, rng, 6))
        cover(canvas, np.clip((y - ridge) * n / 2, 0, 1), stone)
    lake = rng.random() < 0.3
    if lake:
        mirrored = canvas[np.clip(2 * horizon * n - np.arange(n), 0, n - 1).astype(int)]
        ground = 0.75 * mirrored + 0.1 * top + 0.05 * noise(n, rng, 8, stretch=6)
    else:
        field = pick(FIELDS, rng)
        near = (y - horizon) / (1 - horizon)
        ground = (0.6 * field + 0.4 * haze) * (1 - near) + field * near
        ground = ground * (0.5 + 0.5 * haze.mean()) * (1 + 0.16 * noise(n, rng, 8, stretch=3))
        if rng.random() < 0.5:
            end, start, width = rng.uniform(0.2, 0.8), rng.uniform(0, 1), rng.uniform(0.08, 0.2)
            middle = end + (start - end) * near + 0.06 * np.sin(5 * near)
            earth = (0.3 + 0.6 * haze) * np.float32([0.85, 0.76, 0.6])
            cover(ground, np.clip((width * near - abs(x - middle)) * n / 4, 0, 1), earth)
    cover(canvas, np.clip((y - horizon) * n / 2, 0, 1), ground)

    light = 0.35 + 0.65 * haze
    for foot in sorted(rng.uniform(horizon, horizon + 0.06 if lake else 0.98, rng.integers(2, 9)).tolist()):  # far ones first
        height = 0.08 + 0.6 * (foot - horizon) / (1 - horizon) * rng.uniform(0.6, 1.2)
        draw = rng.choice([tree, tree, conifer, house])
        draw(canvas, rng.uniform(0, 1), foot, height, light, rng)
    return canvas


def still_life(n: int, rng: np.random.Generator) -> np.ndarray:
    """Fruits and vases on a table before a wall, lit from one side; float32 (n, n, 3)."""
    y, x = places(n)
    edge, side = rng.uniform(0.4, 0.6), 1 if rng.random() < 0.5 else -1
    wall = pick(np.concatenate([WALLS, CLOTHS]), rng)
    canvas = wall * (0.75 + 0.35 * side * (0.5 - x) - 0.2 * y) * (1 + 0.06 * noise(n, rng, 4))
    if rng.random() < 0.4:
        canvas *= 1 - 0.18 * (np.sin(x * rng.uniform(40, 90)) > 0.3)
    cloth = pick(CLOTHS, rng) * (1 + 0.14 * noise(n, rng, 3, stretch=8))
    if rng.random() < 0.4:
        tiles = (np.floor((x - 0.5) / (0.4 + y) * 10) + np.floor(8 / (0.4 + y))) % 2
        cloth = cloth + (pick(CLOTHS, rng) - cloth) * tiles
    cover(canvas, np.clip((y - edge) * n / 2, 0, 1), cloth * (0.8 + 0.3 * y))
    dark = 0.3 * cloth.mean((0, 1))
    for foot in sorted(rng.uniform(edge + 0.08, 0.95, rng.integers(2, 7)).tolist()):
        place, size = rng.uniform(0.12, 0.88), rng.uniform(0.07, 0.15) * (0.6 + 0.6 * foot)
        part, down, across = window(canvas, place + side * 0.6 * size, foot, 2.4 * size, 0.5 * size)
        cover(part, 0.55 * np.clip(1.5 - np.hypot(across / 1.6, 3 * down) / size, 0, 1), dark)
        draw = rng.choice([fruit, fruit, vase])
        draw(canvas, place, foot, size, side, rng)
    return canvas


# --- things ---


def tree(canvas: np.ndarray, x: float, foot: float, height: float, light: np.ndarray, rng: np.random.Generator) -> None:
    width = 0.04 * height
    polygon(canvas, [(x - width, foot), (x + width, foot), (x, foot - 0.7 * height)], light * [0.3, 0.22, 0.16])
    color = pick(CROWNS, rng) * light
    for step in range(14):  # dark leaves below, bright ones above
        part = step / 13
        place = rng.normal(x + 0.05 * height * (part - 0.5), 0.13 * height), foot - height * rng.normal(0.55 + 0.25 * part, 0.07)
        radius = height * rng.uniform(0.08, 0.16) * (1.2 - 0.5 * part)
        cv2.circle(
            canvas,
            fixed(place, len(canvas))[0].tolist(),
            int(16 * radius * len(canvas)),
            (color * (0.6 + 0.7 * part)).tolist(),
            -1,
            8,
            4,
        )


def conifer(canvas: np.ndarray, x: float, foot: float, height: float, light: np.ndarray, rng: np.random.Generator) -> None:
    color = pick(CROWNS[[0, 3]], rng) * light
    for step in range(5):
        low, width = foot - height * (0.08 + 0.16 * step), height * 0.28 * (1 - 0.17 * step)
        corners = np.array([(x - width, low), (x + width, low), (x, low - 0.3 * height)])
        polygon(canvas, corners, color * (0.6 + 0.12 * step))
        polygon(canvas, [*corners[1:], (x, low)], color * (0.85 + 0.12 * step))


def house(canvas: np.ndarray, x: float, foot: float, height: float, light: np.ndarray, rng: np.random.Generator) -> None:
    wall, roof = pick(WALLS, rng) * light, pick(CLOTHS, rng) * light
    half, eaves = 0.45 * height, foot - 0.45 * height
    polygon(canvas, [(x - half, foot), (x + half, foot), (x + half, eaves), (x - half, eaves)], wall)
    polygon(canvas, [(x + 0.4 * half, foot), (x + half, foot), (x + half, eaves), (x + 0.4 * half, eaves)], 0.7 * wall)
    polygon(
        canvas,
        [
            (x - 1.2 * half, eaves),
            (x + 1.2 * half, eaves),
            (x + 0.6 * half, eaves - 0.35 * height),
            (x - 0.6 * half, eaves - 0.35 * height),
        ],
        roof,
    )
    for left in (-0.7, -0.15):
        a, b = x + left * half, x + (left + 0.3) * half
        polygon(
            canvas,
            [(a, foot - 0.32 * height), (b, foot - 0.32 * height), (b, foot - 0.15 * height), (a, foot - 0.15 * height)],
            0.3 * roof,
        )


def fruit(canvas: np.ndarray, x: float, foot: float, size: float, side: int, rng: np.random.Generator) -> None:
    part, down, across = window(canvas, x, foot - 0.9 * size, size, size)
    down, across = down / size, across / size
    depth = np.sqrt(np.clip(1 - across**2 - down**2, 0, 1))
    lit = np.clip(-0.5 * side * across - 0.5 * down + 0.7 * depth, 0, 1)
    color = pick(FRUITS, rng) * (0.3 + 0.8 * lit) + 4 * np.clip(lit - 0.9, 0, 1)
    cover(part, np.clip((1 - np.hypot(down, across)) * size * len(canvas) / 2, 0, 1), color)


def vase(canvas: np.ndarray, x: float, foot: float, size: float, side: int, rng: np.random.Generator) -> None:
    tall = size * rng.uniform(2.5, 4)
    part, down, across = window(canvas, x, foot - tall / 2, 1.1 * size, tall / 2)
    up = 0.5 - down / tall  # 0 at the foot, 1 at the rim
    widths = [0.6, *rng.uniform(0.7, 1.1, 2), rng.uniform(0.3, 0.6), 0.3, 0.4]
    half = size * np.interp(up, np.linspace(0, 1, 6), widths).astype(np.float32)
    turn = across / half  # -1 at the left edge, 1 at the right
    lit = np.clip(0.8 * np.sqrt(np.clip(1 - turn**2, 0, 1)) - 0.5 * side * turn, 0, 1)
    shine = np.exp(-(((turn + 0.45 * side) / 0.12) ** 2)) * (up > 0.15) * (up < 0.8)
    color = pick(np.concatenate([CLOTHS, FRUITS]), rng) * (0.35 + 0.75 * lit) + 0.5 * shine
    inside = np.minimum(half - abs(across), np.minimum(up, 1 - up) * tall)
    cover(part, np.clip(inside * len(canvas) / 2, 0, 1), color)


# --- tools ---


def pick(colors: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One of the rows, a little changed."""
    row = colors[rng.integers(len(colors))]
    return (row + rng.normal(0, 0.05, row.shape)).clip(0, 1).astype(np.float32)


def places(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Height (n, 1, 1) and place across (1, n, 1) of the pixels, 0..1."""
    line = np.linspace(0, 1, n, dtype=np.float32)
    return line[:, None, None], line[None, :, None]


def window(canvas: np.ndarray, x: float, y: float, half_width: float, half_height: float) -> tuple[np.ndarray, ...]:
    """The part of the canvas around a place, and the ways down (h, 1, 1) and across (1, w, 1) from there."""
    n = len(canvas)
    rows, columns = (
        slice(max(0, int((middle - half) * n)), max(0, int((middle + half) * n) + 2))
        for middle, half in ((y, half_height), (x, half_width))
    )
    down, across = places(n)
    return canvas[rows, columns], down[rows] - y, across[:, columns] - x


def noise(n: int, rng: np.random.Generator, cells: int, stretch: int = 1) -> np.ndarray:
    """Fractal noise (n, n, 1) of about unit variance, its largest spots 1 / `cells` wide; `stretch` times wider than high."""
    total = np.zeros((n, n), np.float32)
    for octave in range(4):
        across = cells * 2**octave
        grid = rng.standard_normal((across * stretch + 1, across + 1)).astype(np.float32)
        total += cv2.resize(grid, (n, n), interpolation=cv2.INTER_CUBIC) * 0.8 * 0.6**octave
    return total[..., None]


def cover(canvas: np.ndarray, alpha: np.ndarray, color: np.ndarray) -> None:
    canvas += alpha * (color - canvas)


def fixed(corners: np.ndarray, n: int) -> np.ndarray:
    """Places in OpenCV's sixteenths of a pixel, (corners, 2)."""
    return (np.atleast_2d(corners) * n * 16).astype(np.int32)


def polygon(canvas: np.ndarray, corners: list, color: np.ndarray) -> None:
    cv2.fillPoly(canvas, [fixed(corners, len(canvas))], np.asarray(color).tolist(), 8, 4)

"""Colours in closed form: against a slow reference, and by what the map promises."""

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from torch import Tensor

from styletransfer.color import KNEE, LUMA, MAX_STATISTICS, REGULARIZER, Palette, compress, recolor, square_root, transport
from styletransfer.images import to_tensor
from tests.conftest import picture
from tests.tiny import scene


def luma(image: Tensor) -> Tensor:
    return sum(weight * image[:, i] for i, weight in enumerate(LUMA))


def palette(seed: int, scale: float = 0.3) -> Palette:
    random = torch.Generator().manual_seed(seed)
    factor = scale * torch.randn(3, 3, generator=random)
    return Palette(torch.rand(3, generator=random) - 0.5, factor @ factor.T)


def to_pixels(image: Tensor) -> Tensor:
    return ((image + 1) * 127.5).round()


def muted(seed: int = 0) -> Tensor:
    """A picture whose colours stay within the gamut under the maps of these tests."""
    return 0.25 * scene(65, 70, seed)


def test_a_palette_is_mean_and_covariance():
    image = scene(65, 70)
    colours = image[0].flatten(1).T.double().numpy()
    measured = Palette.of(image)
    assert np.allclose(measured.mean, colours.mean(axis=0), atol=1e-6)
    assert np.allclose(measured.covariance, np.cov(colours.T, bias=True), atol=1e-6)


def test_a_large_picture_is_averaged_down_first():
    image = scene(2 * MAX_STATISTICS, 2 * MAX_STATISTICS + 5)
    small = torch.nn.functional.avg_pool2d(image, 2)
    assert torch.equal(Palette.of(image).covariance, Palette.of(small).covariance)


def test_a_palette_of_colours():
    colors = ["#0b3d91", "#f4d35e", "#FFFFFF"]
    values = np.array([[0x0B, 0x3D, 0x91], [0xF4, 0xD3, 0x5E], [255, 255, 255]]) / 127.5 - 1
    made = Palette.from_colors(colors)
    assert np.allclose(made.mean, values.mean(axis=0), atol=1e-6)
    assert np.allclose(made.covariance, np.cov(values.T, bias=True), atol=1e-6)
    single = Palette.from_colors(["#808080"])
    assert torch.equal(single.covariance, torch.zeros(3, 3))
    for wrong in ([], ["0b3d91"], ["#0b3d9"], ["#0b3d9g"], ["red"], [3], ["#0b3d91\n"]):
        with pytest.raises(ValueError, match="colours must look like #0b3d91"):
            Palette.from_colors(wrong)


@pytest.mark.parametrize(
    ("mean", "covariance", "message"),
    [
        (torch.zeros(2), torch.eye(3), r"got \(2,\) and \(3, 3\)"),
        (torch.zeros(3), torch.eye(2), r"got \(3,\) and \(2, 2\)"),
        (torch.full((3,), torch.nan), torch.eye(3), "must be finite"),
        (torch.zeros(3), -torch.eye(3), "without negative variances"),
        (torch.zeros(3), torch.eye(3) + torch.ones(3, 3).triu(), "must be symmetric"),
        (torch.full((3,), 2.0), torch.eye(3), "colours in"),
    ],
)
def test_what_is_no_palette_is_refused(mean, covariance, message):
    with pytest.raises(ValueError, match=message):
        Palette(mean, covariance)


@pytest.mark.parametrize("seed", range(5))
def test_transport_against_scipy(seed):
    source, target = palette(seed), palette(seed + 50)
    start, end = (part.covariance.double().numpy() + REGULARIZER * np.eye(3) for part in (source, target))
    root = sqrtm(start)
    inverse = np.linalg.inv(root)
    full = (inverse @ sqrtm(root @ end @ root) @ inverse).real
    for tone, color in ((1.0, 1.0), (0.6, 1.0), (0.3, 0.3), (0.0, 0.7)):
        lightness = np.full((3, 3), 1 / 3)
        amount = tone * lightness + color * (np.eye(3) - lightness)
        matrix, offset = transport(source, target, tone, color)
        assert np.allclose(matrix, np.eye(3) + amount @ (full - np.eye(3)), atol=1e-3)
        assert np.allclose(offset, amount @ (target.mean.numpy() - full @ source.mean.numpy()), atol=1e-3)


@pytest.mark.parametrize("seed", range(3))
def test_the_distance_against_scipy(seed):
    one, other = palette(seed), palette(seed + 50)
    a, b = one.covariance.double().numpy(), other.covariance.double().numpy()
    spread = np.trace(a + b - 2 * sqrtm(sqrtm(a) @ b @ sqrtm(a)).real)
    assert float(one.distance(other)) == pytest.approx(float((one.mean - other.mean).square().sum()) + spread, abs=1e-4)
    assert float(one.distance(one)) == pytest.approx(0, abs=1e-5)


def test_nothing_moves_at_zero():
    matrix, offset = transport(palette(0), palette(1), 0, 0)
    assert torch.equal(matrix, torch.eye(3)) and torch.equal(offset, torch.zeros(3))
    image = (torch.randint(0, 256, (1, 3, 40, 50), generator=torch.Generator().manual_seed(0)) / 127.5) - 1
    image[..., :3, :3], image[..., 3:6, 3:6] = 1, -1
    moved = recolor(image, matrix, offset)
    assert torch.equal(to_pixels(moved), to_pixels(image)) and (moved - image).abs().max() < 1e-3


def test_a_palette_on_itself_changes_nothing():
    matrix, offset = transport(palette(0), palette(0))
    torch.testing.assert_close(matrix, torch.eye(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(offset, torch.zeros(3), atol=1e-4, rtol=0)


def test_all_the_way_the_photo_has_the_palette():
    image = muted()
    wanted = Palette(torch.tensor([0.2, -0.1, 0.0]), torch.tensor([[0.02, 0.01, 0.0], [0.01, 0.03, -0.005], [0.0, -0.005, 0.02]]))
    matrix, offset = transport(Palette.of(image), wanted)
    got = Palette.of(recolor(image, matrix, offset))
    torch.testing.assert_close(got.mean, wanted.mean, atol=2e-3, rtol=0)
    regular = REGULARIZER * (torch.eye(3) - matrix @ matrix.T)  # exact but for this
    torch.testing.assert_close(got.covariance, wanted.covariance + regular, atol=1e-3, rtol=0)
    assert regular.abs().max() < 0.02


def test_half_way_is_a_point_of_the_geodesic():
    """The Wasserstein distance to the start and to the end, and of the whole way."""
    start, end = (Palette(part.mean, part.covariance + 0.05 * torch.eye(3)) for part in (palette(0), palette(1)))
    matrix, offset = transport(start, end, 0.5, 0.5)
    between = Palette(matrix @ start.mean + offset, matrix @ start.covariance @ matrix.T)
    whole = start.distance(end).sqrt()
    assert abs(start.distance(between).sqrt() - whole / 2) < 0.02 * whole
    assert abs(end.distance(between).sqrt() - whole / 2) < 0.02 * whole


def test_tone_moves_lightness_and_color_the_rest():
    image = muted()
    source, target = Palette.of(image), palette(4, 0.1)
    grey = image.mean(dim=1)
    by_color, by_tone = (recolor(image, *transport(source, target, *amounts)) for amounts in ((0, 1), (1, 0)))
    torch.testing.assert_close(by_color.mean(dim=1), grey, atol=1e-5, rtol=0)
    torch.testing.assert_close(by_tone - by_tone.mean(dim=1, keepdim=True), image - grey[:, None], atol=1e-5, rtol=0)
    assert (by_tone.mean(dim=1) - grey).abs().mean() > 0.01 and (by_color - image).abs().mean() > 0.01


def test_the_order_of_greys_stays():
    ramp = torch.linspace(-1, 1, 256).view(1, 1, 1, 256).expand(1, 3, 4, 256)
    for seed in range(6):
        moved = luma(recolor(ramp, *transport(Palette.of(ramp), palette(seed, 0.2))))[0, 0]
        assert (moved.diff() > -1e-6).all() and moved.diff().mean() > 0


@pytest.mark.parametrize("tone", [0.3, 0.6, 1.0])
def test_the_map_is_monotone_along_every_direction(tone):
    """The gradient of a convex function where tone and colour agree: no two colours change places along their difference."""
    matrix, _ = transport(palette(0), palette(1), tone, tone)
    torch.testing.assert_close(matrix, matrix.T, atol=1e-3, rtol=0)
    assert torch.linalg.eigvalsh((matrix + matrix.T) / 2).min() > 0


DEGENERATE = {
    "black": torch.full((1, 3, 20, 30), -1.0),
    "white": torch.ones(1, 3, 20, 30),
    "one colour": torch.tensor([0.3, -0.5, 0.1]).view(1, 3, 1, 1).expand(1, 3, 20, 30),
    "grey": scene(20, 30).mean(dim=1, keepdim=True).expand(1, 3, 20, 30),
    "one pixel": torch.zeros(1, 3, 1, 1),
    "almost flat": 1e-3 * scene(20, 30),
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_photos_are_not_blown_up(name):
    image = DEGENERATE[name]
    for target in (palette(1), Palette.from_colors(["#ff0000", "#0000ff"]), Palette.from_colors(["#808080"]), Palette.of(image)):
        matrix, offset = transport(Palette.of(image), target)
        moved = recolor(image, matrix, offset)
        assert moved.isfinite().all() and moved.abs().max() <= 1 + 2e-3
        # the regulariser: of a flat photo's noise the largest gain is that from a deviation of 0.06 to that of a palette
        assert torch.linalg.matrix_norm(matrix, 2) < 1.5 / REGULARIZER**0.5


@pytest.mark.parametrize("seed", range(4))
def test_nothing_leaves_the_gamut_and_luma_keeps_its_order(seed):
    random = torch.Generator().manual_seed(seed)
    image = torch.rand(1, 3, 40, 50, generator=random) * 2 - 1
    moved = 3 * (image + torch.rand(3, generator=random).view(1, 3, 1, 1) - 0.5)
    fitted = compress(moved, image)
    assert fitted.isfinite().all() and fitted.abs().max() <= 1 + 2e-3  # less than half a grey level
    inside = (moved.abs().amax(dim=1) < KNEE * 0.5) & (luma(moved).abs() < 0.5)
    before, after = moved.movedim(1, 3)[inside], fitted.movedim(1, 3)[inside]
    reach = ((before - before @ torch.tensor(LUMA)[:, None]).abs() / 0.5).amax(dim=1)
    torch.testing.assert_close(after[reach < KNEE], before[reach < KNEE], atol=1e-5, rtol=0)
    # hues stay: chroma shrinks by one number for each pixel
    chroma, chroma_before = (picture - luma(picture)[:, None] for picture in (fitted, moved))
    visible = (chroma.norm(dim=1) > 0.02) & (chroma_before.norm(dim=1) > 0.02)
    assert torch.nn.functional.cosine_similarity(chroma, chroma_before, dim=1)[visible].min() > 0.99


def test_a_batch_has_a_map_for_each_picture():
    images = torch.cat([muted(0), muted(1)])
    maps = [transport(Palette.of(image[None]), palette(number)) for number, image in enumerate(images)]
    together = recolor(images, *(torch.stack(part) for part in zip(*maps, strict=True)))
    alone = [recolor(image[None], *moved) for image, moved in zip(images, maps, strict=True)]
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-6, rtol=0)


def test_gradients_are_those_of_small_steps():
    source, target = palette(2), palette(3)
    mean, factor = target.mean.double(), torch.linalg.cholesky(target.covariance.double() + 0.02 * torch.eye(3))
    image = muted()[..., :2, :3].double()

    def moved(mean: Tensor, factor: Tensor, image: Tensor) -> Tensor:
        colors = Palette(source.mean.double(), source.covariance.double())
        return recolor(image, *transport(colors, Palette(mean, factor @ factor.T), 0.6, 0.9))

    inputs = tuple(part.clone().requires_grad_() for part in (mean, factor, image))
    assert torch.autograd.gradcheck(moved, inputs, atol=1e-4, rtol=1e-3)


def test_gradients_are_finite_for_a_flat_photo():
    image = torch.zeros(1, 3, 8, 8, requires_grad=True)
    recolor(image, *transport(Palette.of(image.detach()), palette(1))).sum().backward()
    assert image.grad.isfinite().all()


def test_the_square_root():
    matrix = torch.stack([palette(seed).covariance for seed in range(4)])
    torch.testing.assert_close(square_root(matrix) @ square_root(matrix), matrix, atol=1e-5, rtol=0)


def test_a_photo_takes_the_palette_of_a_picture():
    photo, painting = to_tensor(picture(seed=1)), to_tensor(picture(seed=2))
    source, target = Palette.of(photo), Palette.of(painting)
    got = Palette.of(recolor(photo, *transport(source, target)))
    assert got.distance(target) < 0.05 * source.distance(target)

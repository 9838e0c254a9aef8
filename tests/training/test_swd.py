"""The sliced Wasserstein distance: by hand, and that it orders sets of pictures as it should."""

import pytest
import torch
import torch.nn.functional as F

from tests.tiny import scene
from training.evaluate.metrics.swd import blur, cut_patches, distance_of_points, laplacian_pyramid, sliced_wasserstein_distance


@pytest.fixture(scope="module")
def scenes() -> torch.Tensor:
    return torch.cat([scene(32, 32, seed) for seed in range(64)])


def random() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_distance_by_hand():
    # in one dimension every direction is 1 or -1: sorted, 0 3 5 against 1 1 9
    one, other = torch.tensor([[5.0], [0.0], [3.0]]), torch.tensor([[1.0], [9.0], [1.0]])
    assert distance_of_points(one, other, 8, random()) == pytest.approx((1 + 2 + 4) / 3)


def test_distance_of_moved_points():
    """A move by v costs |v . direction|: on average |v| * 2 / pi in the plane."""
    points = torch.randn(50, 2, generator=random())
    moved = points + torch.tensor([3.0, 4.0])
    assert distance_of_points(points, moved, 4000, random()) == pytest.approx(5 * 2 / torch.pi, rel=0.03)


def test_blur_against_a_loop():
    picture = torch.randn(1, 1, 9, 8, generator=random())
    padded = F.pad(picture, (2, 2, 2, 2), mode="reflect")[0, 0]
    taps = [1, 4, 6, 4, 1]
    for y, x in ((0, 0), (4, 3), (8, 7)):
        wanted = sum(taps[i] * taps[j] * padded[y + i, x + j].item() for i in range(5) for j in range(5)) / 256
        assert blur(picture)[0, 0, y, x].item() == pytest.approx(wanted, abs=1e-5)


def test_the_pyramid_loses_nothing(scenes):
    levels = laplacian_pyramid(F.interpolate(scenes, scale_factor=2))
    assert [level.shape[-1] for level in levels] == [64, 32, 16]
    picture = levels.pop()
    for level in reversed(levels):
        picture = level + F.interpolate(picture, size=level.shape[-2:], mode="bilinear", align_corners=False)
    torch.testing.assert_close(picture, F.interpolate(scenes, scale_factor=2), rtol=0, atol=1e-5)


def test_patches_are_pieces_of_their_picture():
    pictures = torch.arange(2 * 3 * 20 * 20.0).view(2, 3, 20, 20)
    patches = cut_patches(pictures, 5, random()).view(2, 5, 7, 7, 3)
    for number in range(2):
        for patch in patches[number]:
            offset = int(patch[0, 0, 0] - pictures[number, 0, 0, 0])
            y, x = divmod(offset, 20)
            assert torch.equal(patch.permute(2, 0, 1), pictures[number, :, y : y + 7, x : x + 7])


def test_it_orders_sets_of_pictures(scenes):
    first, second = scenes[:32], scenes[32:]
    same = sliced_wasserstein_distance(first, second)
    assert same.keys() == {32, 16}
    noise = sliced_wasserstein_distance(first, torch.rand(32, 3, 32, 32, generator=random()) * 2 - 1)
    one_picture = sliced_wasserstein_distance(first, second[:1].expand(32, -1, -1, -1))
    darker = sliced_wasserstein_distance(first, second / 2 - 0.5)
    blurred = sliced_wasserstein_distance(first, blur(second))
    assert all(noise[level] > 2 * same[level] for level in same)
    assert all(one_picture[level] > 1.5 * same[level] for level in same)  # collapse costs
    assert darker[16] > 1.5 * same[16]  # wrong colours cost, in the coarse level
    assert blurred[32] > 2 * same[32]  # blur costs, in the fine level
    assert blurred[16] < 1.5 * same[16]


def test_equal_sets_with_equal_patches_have_no_distance():
    points = torch.randn(20, 5, generator=random())
    assert distance_of_points(points, points.flip(0), 16, random()) == 0


@pytest.mark.parametrize("shape", [(32, 3, 16, 16), (31, 3, 32, 32), (32, 3, 32)])
def test_sets_that_cannot_be_compared_are_refused(scenes, shape):
    with pytest.raises(ValueError, match="one shape"):
        sliced_wasserstein_distance(scenes[:32], torch.zeros(shape))

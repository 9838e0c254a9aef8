"""DiffAugment: what the paper says of each change, and gradients through all of them."""

import torch

from training.data.augment import change_color, cutout, diff_augment, translate


def image(seed: int = 0, count: int = 16) -> torch.Tensor:
    return torch.rand(count, 3, 24, 40, generator=torch.Generator().manual_seed(seed)) + 0.1  # nowhere zero


def test_translation_moves_by_at_most_an_eighth_and_fills_with_zeros():
    torch.manual_seed(0)
    before, after = image(), translate(image())
    seen = set()
    for one, other in zip(before, after, strict=True):
        matches = []
        for down in range(-4, 5):
            for right in range(-6, 7):
                want = torch.zeros_like(one)
                rows, columns = slice(max(0, down), 24 + min(0, down)), slice(max(0, right), 40 + min(0, right))
                from_rows, from_columns = slice(max(0, -down), 24 + min(0, -down)), slice(max(0, -right), 40 + min(0, -right))
                want[:, rows, columns] = one[:, from_rows, from_columns]
                if torch.equal(want, other):
                    matches.append((down, right))
        assert len(matches) == 1
        down, right = matches[0]
        assert abs(down) <= 3 and abs(right) <= 5
        seen.add(matches[0])
    assert len(seen) > 8


def test_cutout_removes_one_rectangle_of_half_the_sides():
    torch.manual_seed(0)
    before = image(count=64)
    after = cutout(before)
    gone = (after == 0).all(dim=1)  # (B, H, W)
    assert torch.equal(after, before * ~gone[:, None])
    rows, columns = gone.any(dim=2), gone.any(dim=1)
    assert torch.equal(gone, rows[:, :, None] & columns[:, None, :])
    assert rows.sum(1).max() == 12 and columns.sum(1).max() == 20
    assert rows.sum(1).min() >= 6 and columns.sum(1).min() >= 10  # half of it at the edge
    assert len({tuple(row.tolist()) for row in rows}) > 8


def test_color_changes_brightness_contrast_and_saturation_in_the_ranges_of_the_paper():
    torch.manual_seed(0)
    before, after = image(count=64), change_color(image(count=64))
    gray, new = before.mean(dim=1, keepdim=True), after.mean(dim=1, keepdim=True)
    level, new_level = (values.mean(dim=(1, 2, 3), keepdim=True) for values in (gray, new))
    brightness = new_level - level
    contrast = slope(gray - level, new - new_level)
    saturation = slope(before - gray, after - new) / contrast
    for factor, low, high in ((brightness, -0.5, 0.5), (contrast, 0.5, 1.5), (saturation, 0, 2)):
        assert low <= factor.min() < low + 0.2 * (high - low)
        assert high - 0.2 * (high - low) < factor.max() <= high
    expected = level + brightness + contrast * (gray - level) + contrast * saturation * (before - gray)
    assert torch.allclose(after, expected, atol=1e-5)


def slope(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The factor of each image that best makes y of x."""
    return (x * y).sum(dim=(1, 2, 3), keepdim=True) / x.square().sum(dim=(1, 2, 3), keepdim=True)


def test_gradients_reach_the_image_and_chance_follows_the_seed():
    one = image().requires_grad_()
    torch.manual_seed(3)
    after = diff_augment(one)
    after.square().sum().backward()
    assert after.shape == one.shape
    assert (one.grad.abs().sum(dim=(1, 2, 3)) > 0).all()
    torch.manual_seed(3)
    assert torch.equal(after, diff_augment(image()))
    assert not torch.equal(after, diff_augment(image()))

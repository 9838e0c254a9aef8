"""Tiles: the result of the whole picture, of any size that is asked for, and what is told on the way."""

import pytest
import torch
from PIL import Image
from torch import Tensor

from styletransfer import tiling
from styletransfer.images import to_pil, to_tensor
from styletransfer.models.upscale_generator import UpscaleGenerator
from styletransfer.tiling import cuts, enlarge, enlarged_tiles
from tests.tiny import image


@pytest.fixture
def network() -> UpscaleGenerator:
    torch.manual_seed(0)
    network = UpscaleGenerator(base_channels=8, num_blocks=2).eval()
    for stage in network.stages:
        torch.nn.init.normal_(stage.to_image[0].weight, std=0.1)
    return network


def picture(width: int, height: int) -> Image.Image:
    return to_pil(image(height, width, batch=1))


def put_together(network: UpscaleGenerator, small: Image.Image, level: int) -> Tensor:
    scale = 2**level
    whole = torch.full((1, 3, scale * small.height, scale * small.width), torch.nan)
    for left, top, tile, _ in enlarged_tiles(network, small, level):
        height, width = tile.shape[-2:]
        whole[..., scale * top : scale * top + height, scale * left : scale * left + width] = tile
    return whole


@torch.no_grad()
@pytest.mark.parametrize("level", [1, 2])
@pytest.mark.parametrize("size", [(70, 65), (33, 100), (32, 32), (20, 17)])
def test_tiles_give_the_whole(network, level, size, monkeypatch):
    monkeypatch.setattr(tiling, "TILE", 32)
    small = picture(*size)
    torch.testing.assert_close(put_together(network, small, level), network(to_tensor(small), level=level), rtol=0, atol=1e-4)


@torch.no_grad()
def test_tiles_with_less_overlap_do_not(network, monkeypatch):
    monkeypatch.setattr(tiling, "TILE", 32)
    monkeypatch.setattr(UpscaleGenerator, "overlap", 4)
    small = picture(70, 65)
    assert (put_together(network, small, 2) - network(to_tensor(small))).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("side", "expected"), [(1, [0, 1]), (128, [0, 128]), (129, [0, 64, 129]), (400, [0, 100, 200, 300, 400])]
)
def test_cuts(side, expected):
    assert cuts(side) == expected


@pytest.mark.parametrize(
    ("size", "level"),
    [((45, 34), 1), ((80, 68), 1), ((81, 68), 2), ((160, 136), 2), ((300, 250), 2), ((43, 90), 2)],
)
def test_the_level_follows_from_the_size(network, size, level, monkeypatch):
    levels = []

    def noted(network, small, level):
        levels.append(level)
        return enlarged_tiles(network, small, level)

    monkeypatch.setattr(tiling, "enlarged_tiles", noted)
    assert enlarge(network, picture(40, 34), size).size == size
    assert levels == [level]


@pytest.mark.parametrize("size", [(43, 36), (40, 34), (20, 20)])
def test_a_small_change_of_size_is_left_to_interpolation(size):
    small = picture(40, 34)
    result = enlarge(None, small, size)
    assert result.size == size
    if size == small.size:
        assert result.tobytes() == small.tobytes()


@torch.no_grad()
def test_the_result_at_its_own_size_is_the_network_s(network):
    small = picture(40, 34)
    assert enlarge(network, small, (160, 136)).tobytes() == to_pil(network(to_tensor(small))).tobytes()


def test_pictures_smaller_than_the_network_takes(network):
    assert enlarge(network, picture(5, 3), (20, 12)).size == (20, 12)


def test_transparency_is_left_out(network):
    small = picture(20, 17)
    clear = small.copy()
    clear.putalpha(Image.linear_gradient("L").resize(small.size))
    assert enlarge(network, clear, (40, 34)).tobytes() == enlarge(network, small, (40, 34)).tobytes()


def test_progress_is_told_tile_by_tile(network, monkeypatch):
    monkeypatch.setattr(tiling, "TILE", 32)
    shares = []
    enlarge(network, picture(70, 65), (140, 130), shares.append)
    assert shares == [pytest.approx(number / 9) for number in range(1, 10)]


def test_no_tile_is_larger_than_the_limit(network):
    """However large the picture is: what bounds the memory."""
    for left, top, tile, _ in enlarged_tiles(network, picture(300, 140), 1):
        assert max(tile.shape[-2:]) <= 2 * tiling.TILE and left < 300 and top < 140

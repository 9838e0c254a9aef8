"""The pool of earlier fakes: half of what it returns is old, and a resumed training goes on with the same pool."""

import pytest
import torch

from tests.tiny_presets import CONFIGS
from training.engine.pool import ImagePool
from training.engine.trainer import Trainer
from training.presets import build


def numbered(first: int, count: int) -> torch.Tensor:
    """Images (count, 3, 2, 2), each filled with its own number."""
    return torch.arange(first, first + count).float().view(-1, 1, 1, 1).expand(-1, 3, 2, 2)


def numbers(images: torch.Tensor) -> list[int]:
    assert (images == images[:, :1, :1, :1]).all()
    return images[:, 0, 0, 0].int().tolist()


def test_new_images_pass_until_the_pool_is_full():
    pool = ImagePool(5)
    assert numbers(pool(numbered(0, 3))) == [0, 1, 2]
    assert numbers(pool(numbered(3, 2))) == [3, 4]
    assert numbers(torch.stack(pool.images)) == [0, 1, 2, 3, 4]


def test_then_half_are_earlier_ones():
    torch.manual_seed(0)
    pool = ImagePool(50)
    pool(numbered(0, 50))
    old = 0
    for first in range(50, 2050, 4):
        returned = numbers(pool(numbered(first, 4)))
        for place, number in enumerate(returned):
            assert number <= first + place  # never one that is still to come
            old += number != first + place
    assert old / 2000 == pytest.approx(0.5, abs=0.03)
    assert len(pool.images) == 50


def test_an_earlier_image_is_returned_once_and_makes_room():
    torch.manual_seed(0)
    pool = ImagePool(4)
    returned = [number for first in range(0, 40, 2) for number in numbers(pool(numbered(first, 2)))]
    kept = numbers(torch.stack(pool.images))
    swapped = [number for place, number in enumerate(returned) if number != place]
    assert len(swapped) == len(set(swapped))  # an image leaves the pool when it is shown again
    # an image is shown when it comes, or later, or it still waits; those of the first four are shown at once and also kept
    assert {*returned, *kept} == set(range(40))


def test_images_are_kept_without_their_history():
    pool = ImagePool(2)
    fakes = torch.rand(2, 3, 4, 4, requires_grad=True) * 2
    assert not pool(fakes).requires_grad
    assert not any(image.requires_grad for image in pool.images)


def test_resumed_pools_are_exact(tmp_path, pictures, monkeypatch):
    """CycleGAN with a pool of three images, so that old fakes come back before the stop and after it."""
    init = ImagePool.__init__
    monkeypatch.setattr(ImagePool, "__init__", lambda self, size: init(self, min(size, 3)))
    config = CONFIGS["cyclegan"](
        pictures, batch=2, updates=8, log_every=1, device="cpu", precision="no", tracker="none", out=tmp_path
    )

    def start() -> Trainer:
        torch.manual_seed(0)
        return Trainer(build(config), config)

    def go_on(trainer: Trainer, updates: int) -> None:
        batches = trainer.batches()
        for _ in range(updates):
            trainer.train_one([next(batches)])

    straight, first = start(), start()
    go_on(straight, 8)
    go_on(first, 4)
    first.save()
    second = start()
    second.load()
    assert [len(pool.images) for pool in second.pools.values()] == [3, 3]
    go_on(second, 4)
    for name, pool in straight.pools.items():
        assert torch.equal(torch.stack(pool.images), torch.stack(second.pools[name].images)), name
    for name, net in straight.nets.items():
        for key, value in net.state_dict().items():
            assert torch.equal(value, second.nets[name].state_dict()[key]), f"{name}.{key}"
    # the pools matter: without them the same training ends elsewhere
    third = start()
    third.load()
    for pool in third.pools.values():
        pool.images.clear()
    go_on(third, 4)
    keys = third.nets["d_b"].state_dict()
    assert any(not torch.equal(value, keys[key]) for key, value in straight.nets["d_b"].state_dict().items())

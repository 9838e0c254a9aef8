"""What exists in one step of the painter, and who may learn from it."""

import pytest
import torch

from styletransfer.models.style_adapter import StyleAdapter
from training.steps.adapted import AdaptedPainting, Codes
from training.steps.painting import Painting


@pytest.fixture
def nets(tiny_painter):
    """Its networks, whose noise stays where it is."""
    tiny_painter.nets["stylizer"].eval()
    return tiny_painter.nets


@pytest.fixture
def batch(tiny_painter):
    return torch.utils.data.default_collate([tiny_painter.data[position] for position in range(3)])


def test_strength_is_that_of_the_code(nets, batch):
    step = Painting(nets, batch)
    step.strength = torch.tensor([0.0, 0.5, 1.0])
    assert torch.equal(step.fake[0], batch["recolored"][0])  # no style: the recoloured photo, not the photo
    assert torch.equal(step.fake[2], step.full[2]) and not torch.equal(step.fake[1], step.full[1])
    assert not torch.equal(step.full[2], batch["recolored"][2])


def test_most_are_painted_at_full_strength(nets, batch):
    torch.manual_seed(0)
    strengths = torch.cat([Painting(nets, batch).strength for _ in range(200)])
    assert 0.7 < (strengths == 1).float().mean() < 0.8
    assert 0.1 <= strengths.min() < 0.2 and 1.4 < strengths.max() <= 1.5


def test_what_is_compared_with_takes_no_gradients(nets, batch):
    """And the discriminator's view of the code does not steer the encoder."""
    step = Painting(nets, batch)
    assert step.code.requires_grad and not step.seen_code.requires_grad and torch.equal(step.code, step.seen_code)
    assert list(step.painting_style) == list(Painting.style_layers) and list(step.content) == list(Painting.content_layers)
    assert not any(kept.requires_grad for kept in (*step.painting_style.values(), *step.content.values()))
    assert all(kept.requires_grad for kept in step.fake_features.values())
    assert torch.equal(step.content[4], nets["features"](batch["recolored"])[4])


def test_every_loss_reaches_what_it_should(tiny_painter, batch):
    recipe = tiny_painter.recipe
    step = recipe.step(tiny_painter.nets, batch)
    losses = recipe.losses(step, recipe.phases[0])
    names = {"content", "style", "moments", "palette", "low_frequency", "smooth", "gamut", "apart", "fool_discriminator"}
    assert losses.keys() == names
    for name, loss in losses.items():
        reached = torch.autograd.grad(
            loss, list(tiny_painter.nets["stylizer"].parameters()), retain_graph=True, allow_unused=True
        )
        assert (name == "apart") == all(gradient is None for gradient in reached), name


def test_a_new_adapter_paints_as_the_generator_does(nets, batch):
    codes = nets["encoder"](batch["painting"]).detach()
    adapter = StyleAdapter.of(nets["stylizer"], rank=2)
    frozen = {name: net.requires_grad_(False) for name, net in nets.items()}
    one = Painting(nets, batch)
    one.code = codes
    other = AdaptedPainting(frozen | {"adapter": adapter, "codes": Codes(codes)}, batch | {"label": torch.arange(3)})
    torch.testing.assert_close(one.full, other.full)
    other.full.mean().backward()
    assert all(factor.grad is not None for factor in adapter.parameters())
    assert not any(parameter.grad is not None for net in nets.values() for parameter in net.parameters())

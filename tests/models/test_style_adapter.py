"""What the low-rank change of a generator's weights promises."""

import pytest
import torch

from styletransfer.models.style_adapter import StyleAdapter, adapted, changes, misfits
from styletransfer.models.style_generator import StyleGenerator
from tests.tiny import NETWORKS, code, image


@pytest.fixture
def stylizer() -> StyleGenerator:
    return NETWORKS["style_generator"].build().eval().requires_grad_(False)


@pytest.fixture
def adapter(stylizer) -> StyleAdapter:
    """One that was trained, as far as its values tell."""
    torch.manual_seed(1)
    made = StyleAdapter.of(stylizer, rank=3)
    for parameter in made.parameters():
        parameter.data = torch.randn_like(parameter) / 4
    return made


def test_a_new_adapter_changes_nothing(stylizer):
    fresh = StyleAdapter.of(stylizer)
    assert torch.equal(adapted(stylizer, fresh(), image(), code()), stylizer(image(), code()))


def test_it_is_the_network_with_merged_weights(stylizer, adapter):
    painted = adapted(stylizer, adapter(), image(), code())
    merged = NETWORKS["style_generator"].build().eval()
    factors = adapter.factors()
    with torch.no_grad():
        for name, parameter in merged.named_parameters():
            if f"{name}.up" in factors:
                up, down = factors[f"{name}.up"], factors[f"{name}.down"]
                for row in range(len(parameter)):
                    parameter[row] += sum(up[row, rank] * down[rank] for rank in range(3)).view(parameter[row].shape)
            elif name in factors:
                parameter += factors[name]
    torch.testing.assert_close(painted, merged(image(), code()), atol=1e-4, rtol=0)
    assert (painted - stylizer(image(), code())).abs().mean() > 0.01


def test_the_network_itself_stays(stylizer, adapter):
    before = {name: value.clone() for name, value in stylizer.state_dict().items()}
    adapted(stylizer, adapter(), image(), code())
    assert all(torch.equal(value, before[name]) for name, value in stylizer.state_dict().items())


def test_it_changes_every_convolution_and_every_modulation(stylizer, adapter):
    wanted = {name for name, value in stylizer.named_parameters() if value.ndim == 4 or name.endswith("affine.bias")}
    assert adapter().keys() == wanted
    shapes = dict(stylizer.named_parameters())
    assert all(change.numel() == shapes[name].numel() for name, change in adapter().items())


def test_changes_of_its_factors_are_what_it_adds(adapter):
    added = changes(adapter.factors())
    assert added.keys() == adapter().keys() and all(torch.equal(added[name], value) for name, value in adapter().items())


def test_every_parameter_gets_a_gradient(stylizer, adapter):
    adapted(stylizer, adapter(), image(), code()).square().mean().backward()
    for name, parameter in adapter.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all() and parameter.grad.any(), name


def test_save_and_load_give_the_same(adapter, tmp_path):
    adapter.save_pretrained(tmp_path)
    loaded = StyleAdapter.from_pretrained(tmp_path)
    assert loaded.config.rank == 3
    for name, factor in loaded.factors().items():
        assert torch.equal(factor, adapter.factors()[name])


def test_a_style_of_the_full_generator_is_small():
    numbers = sum(factor.numel() for factor in StyleAdapter.of(StyleGenerator()).factors().values())
    assert numbers < 280_000  # 0.56 MB in half precision


MISFITS = {
    "nothing": (lambda factors: {}, []),
    "all of it": (lambda factors: factors, []),
    "an unknown parameter": (lambda factors: factors | {"nonsense": torch.zeros(8)}, ["nonsense"]),
    "unknown factors": (
        lambda factors: factors | {"none.up": torch.zeros(8, 3), "none.down": torch.zeros(3, 8)},
        ["none.up", "none.down"],
    ),
    "no other half": (lambda factors: {name: f for name, f in factors.items() if name != "out.weight.up"}, ["out.weight.down"]),
    "other ranks": (
        lambda factors: factors | {"out.weight.up": factors["out.weight.up"][:, :2]},
        ["out.weight.down", "out.weight.up"],
    ),
    "another height": (
        lambda factors: factors | {"out.weight.up": factors["out.weight.up"][:5]},
        ["out.weight.down", "out.weight.up"],
    ),
    "another width": (
        lambda factors: factors | {"out.weight.down": factors["out.weight.down"][:, :5]},
        ["out.weight.down", "out.weight.up"],
    ),
    "no matrix": (
        lambda factors: factors | {"out.weight.up": factors["out.weight.up"][None]},
        ["out.weight.down", "out.weight.up"],
    ),
    "a factor of a bias": (lambda factors: factors | {"out.bias.up": torch.zeros(12, 3)}, ["out.bias.up"]),
    "another bias": (
        lambda factors: factors | {"before.norm.affine.bias": torch.zeros(3)},
        ["before.norm.affine.bias"],
    ),
}


@pytest.mark.parametrize("name", MISFITS)
def test_factors_of_another_network_are_named(name, stylizer, adapter):
    change, wrong = MISFITS[name]
    assert sorted(misfits(stylizer, change(adapter.factors()))) == sorted(wrong)

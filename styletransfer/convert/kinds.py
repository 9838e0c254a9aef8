"""The checkpoints that can be converted, by the names of their tensors. Costs no torch."""

from collections.abc import Iterable
from dataclasses import dataclass, field

RUNNING = ("running_mean", "running_var")
STATISTICS = (*RUNNING, "num_batches_tracked")


@dataclass(frozen=True)
class Kind:
    """A published network and ours that computes the same.

    Args:
        title: What it is, for people.
        source: Where such checkpoints come from.
        network: Our class.
        arguments: Of our class, all but `base_channels`, which is the width of the first tensor of `names`.
        names: Our tensor -> the published one.
        idle: Published tensors that may be there and change nothing.
        blurs: Published tensors that hold a blur, and the row that it must be made of.
        bytes: Whether the published network takes and gives 0 to 255 in place of -1 to 1.
    """

    title: str
    source: str
    network: str
    arguments: dict
    names: dict[str, str]
    idle: frozenset[str] = frozenset()
    blurs: dict[str, tuple[int, ...]] = field(default_factory=dict)
    bytes: bool = False


def tensors(layers: dict[str, str], parts: Iterable[str] = ("weight",)) -> dict[str, str]:
    return {f"{ours}.{part}": f"{theirs}.{part}" for ours, theirs in layers.items() for part in parts}


def cyclegan(blocks: int) -> Kind:
    after = 10 + blocks  # layer after the last block
    layers = {"stem.0": "model.1", "down.0": "model.4", "down.3": "model.7", **residual(blocks, first=10)}
    layers |= {"up.0": f"model.{after}", "up.3": f"model.{after + 3}", "out": f"model.{after + 7}"}
    return Kind(
        title=f"CycleGAN, residual generator of {blocks} blocks",
        source="https://github.com/junyanz/pytorch-CycleGAN-and-pix2pix",
        network="ResnetGenerator",
        arguments={"num_blocks": blocks, "upsample": "transposed"},
        names=tensors(layers) | {"out.bias": f"{layers['out']}.bias"},
        idle=around_instance_norm(layers),
    )


def cut(blocks: int) -> Kind:
    """As `cyclegan`, with a blur after each convolution on the way down, and before each on the way up."""
    after = 12 + blocks
    layers = {"stem.0": "model.1", "down.0": "model.4", "down.4": "model.8", **residual(blocks, first=12)}
    layers |= {"up.1": f"model.{after + 1}", "up.5": f"model.{after + 5}", "out": f"model.{after + 9}"}
    down, up = (1, 2, 1), (1, 3, 3, 1)
    return Kind(
        title=f"CUT, residual generator of {blocks} blocks, anti-aliased",
        source="https://github.com/taesungp/contrastive-unpaired-translation",
        network="AntialiasedResnetGenerator",
        arguments={"num_blocks": blocks},
        names=tensors(layers) | {"out.bias": f"{layers['out']}.bias"},
        idle=around_instance_norm(layers),
        blurs={"model.7.filt": down, "model.11.filt": down, f"model.{after}.filt": up, f"model.{after + 4}.filt": up},
    )


def residual(blocks: int, first: int) -> dict[str, str]:
    places = ((0, 1), (3, 5))  # of the two convolutions, in our block and in the published one
    return {
        f"blocks.{block}.layers.{ours}": f"model.{first + block}.conv_block.{theirs}"
        for block in range(blocks)
        for ours, theirs in places
    }


def around_instance_norm(layers: dict[str, str]) -> frozenset[str]:
    """Biases before an instance norm, which removes the mean again, and its running statistics, which it does not use."""
    idle = set()
    for ours, conv in layers.items():
        if ours != "out":
            parent, _, number = conv.rpartition(".")
            idle |= {f"{conv}.bias", *(f"{parent}.{int(number) + 1}.{part}" for part in STATISTICS)}
    return frozenset(idle)


def unet(downs: int) -> Kind:
    """The U-Net of pix2pix: each level lies inside the one above it."""
    levels = ["model.model", *("model.model.1.model" + ".3.model" * depth for depth in range(downs - 1))]
    convs = {"down.0": f"{levels[0]}.0"} | {f"down.{level}": f"{levels[level]}.1" for level in range(1, downs)}
    norms = {f"down_norms.{level - 1}": f"{levels[level]}.2" for level in range(1, downs - 1)}
    for place, level in enumerate(range(downs - 1, 0, -1)):
        innermost = level == downs - 1
        convs[f"up.{place}"] = f"{levels[level]}.{3 if innermost else 5}"
        norms[f"up_norms.{place}"] = f"{levels[level]}.{4 if innermost else 6}"
    return Kind(
        title=f"pix2pix, U-Net of {downs} levels for {2**downs} x {2**downs} pixels",
        source="https://github.com/junyanz/pytorch-CycleGAN-and-pix2pix",
        network="Pix2pixGenerator",
        arguments={"num_downs": downs},
        names=tensors(convs)
        | tensors(norms, ("weight", "bias", *RUNNING))
        | tensors({"out": f"{levels[0]}.3"}, ("weight", "bias")),
        idle=frozenset(f"{norm}.num_batches_tracked" for norm in norms.values()),
    )


def fast_neural_style() -> Kind:
    convs = {"stem.0": "conv1", "down.0": "conv2", "down.3": "conv3", "up.1": "deconv1", "up.5": "deconv2", "out": "deconv3"}
    norms = {"stem.1": "in1", "down.1": "in2", "down.4": "in3", "up.2": "in4", "up.6": "in5"}
    for block in range(5):
        convs |= {f"blocks.{block}.layers.{a}": f"res{block + 1}.conv{b}" for a, b in ((0, 1), (3, 2))}
        norms |= {f"blocks.{block}.layers.{a}": f"res{block + 1}.in{b}" for a, b in ((1, 1), (4, 2))}
    return Kind(
        title="fast neural style, TransformerNet",
        source="https://github.com/pytorch/examples/tree/main/fast_neural_style",
        network="TransformerNet",
        arguments={},
        names=tensors({ours: f"{theirs}.conv2d" for ours, theirs in convs.items()})
        | tensors(norms, ("weight", "bias"))
        | {"out.bias": "deconv3.conv2d.bias"},
        idle=frozenset(
            {f"{conv}.conv2d.bias" for conv in convs.values()}
            | {f"{norm}.{part}" for norm in norms.values() for part in STATISTICS}
        ),
        bytes=True,
    )


def animegan2() -> Kind:
    """Our layers have the published names already."""
    places = ["a.0", "a.1", "a.2", "b.0", "b.1", "c.0", "c.5", "d.0", "d.1", "e.0", "e.1", "e.2"]
    plain = [f"block_{place}" for place in places] + [f"block_c.{block}.layers.0" for block in range(1, 5)]
    names = []
    for layer in plain:
        names += [f"{layer}.1.weight", f"{layer}.2.weight", f"{layer}.2.bias"]
    for block in (f"block_c.{number}.layers" for number in range(1, 5)):
        names += [f"{block}.{part}" for layer in ("1.1", "1.2", "3") for part in (f"{layer}.weight", f"{layer}.bias")]
        names += [f"{block}.2.weight"]
    return Kind(
        title="AnimeGANv2",
        source="https://github.com/bryandlee/animegan2-pytorch",
        network="AnimeGenerator",
        arguments={},
        names={name: name for name in [*names, "out_layer.0.weight"]},
    )


KINDS = {
    "cyclegan-resnet9": cyclegan(9),
    "cyclegan-resnet6": cyclegan(6),
    "pix2pix-unet256": unet(8),
    "pix2pix-unet128": unet(7),
    "cut-resnet9": cut(9),
    "cut-resnet6": cut(6),
    "fast-neural-style": fast_neural_style(),
    "animegan2": animegan2(),
}


def misfits(kind: Kind, present: Iterable[str]) -> tuple[list[str], list[str]]:
    """Names of the tensors that a checkpoint of this kind lacks, and of those that it should not have."""
    present, wanted = set(present), {*kind.names.values(), *kind.blurs}
    return sorted(wanted - present), sorted(present - wanted - kind.idle)

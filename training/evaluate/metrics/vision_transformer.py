"""A vision transformer in DINOv2's layout, for metrics: no loss sees its features."""

import re
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

PATCH = 14  # pixels: side of the squares that become tokens
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of RGB in [0, 1], ImageNet's
HEAD = 64  # channels of an attention head, at every size of DINOv2
HUB_NAMES = (  # of facebook/dinov2-small on the Hub -> here
    (r"^embeddings\.cls_token$", "cls"),
    (r"^embeddings\.position_embeddings$", "pos"),
    (r"^embeddings\.patch_embeddings\.projection\.", "patch."),
    (r"^encoder\.layer\.(\d+)\.attention\.attention\.(q|k|v)(?:uery|ey|alue)\.", r"layers.\1.\2."),
    (r"^encoder\.layer\.(\d+)\.attention\.output\.dense\.", r"layers.\1.o."),
    (r"^encoder\.layer\.(\d+)\.layer_scale(\d)\.lambda1$", r"layers.\1.ls\2"),
    (r"^encoder\.layer\.(\d+)\.(?:mlp\.)?", r"layers.\1."),
)


class Block(nn.Module):
    """Attention and a two-layer network, each behind a layer norm and scaled (Touvron et al. 2021, "CaiT", eq. 4)."""

    def __init__(self, width: int):
        super().__init__()
        self.heads = max(1, width // HEAD)
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.q, self.k, self.v, self.o = (nn.Linear(width, width) for _ in range(4))
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.ls1, self.ls2 = nn.Parameter(torch.ones(width)), nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """Tokens (B, N, D) to tokens."""
        y = self.norm1(x)
        q, k, v = (layer(y).unflatten(2, (self.heads, -1)).transpose(1, 2) for layer in (self.q, self.k, self.v))
        attended = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        x = x + self.ls1 * self.o(attended)
        return x + self.ls2 * self.fc2(F.gelu(self.fc1(self.norm2(x))))


class VisionTransformer(nn.Module):
    """ViT (Dosovitskiy et al. 2021) in DINOv2's layout (Oquab et al. 2024, https://arxiv.org/abs/2304.07193), frozen.

    Args:
        width: Channels D of a token; 384 is ViT-S.
        depth: Blocks.
        positions: Side of the square grid of learned positions; they are interpolated for pictures of other sizes.

    Example:
        `VisionTransformer(width=64, depth=3)(torch.zeros(1, 3, 70, 98), blocks=(1, 2))[2].shape  # (1, 64, 5, 7)`
    """

    def __init__(self, width: int = 384, depth: int = 10, positions: int = 37):
        super().__init__()
        self.positions = positions
        self.cls = nn.Parameter(torch.zeros(1, 1, width))
        self.pos = nn.Parameter(torch.zeros(1, 1 + positions**2, width))
        self.patch = nn.Conv2d(3, width, PATCH, PATCH)
        self.layers = nn.ModuleList(Block(width) for _ in range(depth))
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(1, 3, 1, 1), persistent=False)
        self.eval().requires_grad_(False)

    def forward(self, image: Tensor, blocks: tuple[int, ...]) -> dict[int, Tensor]:
        """Block, counted from 0 -> its patch tokens (B, D, H / 14, W / 14) of `image` (B, 3, H, W) in [-1, 1]."""
        if any(side % PATCH for side in image.shape[-2:]):
            raise ValueError(f"height and width must be multiples of {PATCH}, got {tuple(image.shape[-2:])}")
        x = self.patch(((image + 1) / 2 - self.mean) / self.deviation)
        size = x.shape[-2:]
        grid = self.pos[:, 1:].transpose(1, 2).unflatten(2, (self.positions, self.positions))
        grid = F.interpolate(grid, size, mode="bicubic", align_corners=False)
        x = torch.cat([(self.cls + self.pos[:, :1]).expand(len(x), -1, -1), (x + grid).flatten(2).transpose(1, 2)], dim=1)
        kept = {}
        for number, block in enumerate(self.layers[: max(blocks) + 1]):
            x = block(x)
            if number in blocks:
                kept[number] = x[:, 1:].transpose(1, 2).unflatten(2, size)
        return kept


def load_vision_transformer(path: Path) -> VisionTransformer:
    """The network of a safetensors file, such as that of facebook/dinov2-small; its sizes are those of the tensors."""
    if not path.is_file():
        raise FileNotFoundError(f"no weights of a vision transformer at {path}: expected a safetensors file")
    try:
        tensors = {here(name): tensor for name, tensor in load_file(path).items()}
        depth = 1 + max(int(name.split(".")[1]) for name in tensors if name.startswith("layers."))
        network = VisionTransformer(tensors["cls"].shape[2], depth, round((tensors["pos"].shape[1] - 1) ** 0.5))
        needed = network.state_dict().keys()
        network.load_state_dict({name: tensor.float() for name, tensor in tensors.items() if name in needed})
    except (SafetensorError, KeyError, ValueError, IndexError, RuntimeError) as error:
        raise ValueError(f"{path} holds no vision transformer in DINOv2's layout: {error}") from None
    return network


def here(name: str) -> str:
    """The name of a parameter of `VisionTransformer`, by its own or by its name on the Hub."""
    for pattern, replacement in HUB_NAMES:
        name = re.sub(pattern, replacement, name)
    return name

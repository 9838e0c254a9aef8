"""Style as nearest neighbours: every patch of the result looks like some patch of the painting."""

import torch
import torch.nn.functional as F
from torch import Tensor

from training.losses.perceptual import average

Features = dict[int, Tensor]


def nearest_neighbor_distance(result: Features, painting: Features, weight: Tensor | None = None) -> Tensor:
    """Cosine distance of each feature vector to its nearest neighbour in the painting, mean over positions and layers.

    Nearest-neighbour feature matching (Kolkin et al. 2022, https://arxiv.org/abs/2203.13215, eq. 2; Zhang et al. 2022, ARF,
    eq. 1). Vectors are centred by the mean of the painting first. Unlike Gram distances it copies whole strokes and not their
    average. Layers are activations (B, C, h, w); their sizes may differ between result and painting.
    """
    distances = []
    for layer in painting:
        mean = painting[layer].float().mean(dim=(2, 3), keepdim=True)
        have, want = (F.normalize((features[layer].float() - mean).flatten(2), dim=1) for features in (result, painting))
        with torch.no_grad():
            nearest = (have.transpose(1, 2) @ want).argmax(dim=2)  # (B, h w)
        matched = want.gather(2, nearest[:, None].expand(-1, want.shape[1], -1))
        distances.append(1 - (have * matched).sum(dim=1).mean(dim=1))
    return average(torch.stack(distances).mean(dim=0), weight)

"""Energy at the finest scale, where upsampling leaves its checkerboards (Odena et al. 2016, distill.pub)."""

import torch.nn.functional as F
from torch import Tensor

from styletransfer.styles import LUMA


def checkerboard_energy(image: Tensor) -> Tensor:
    """Root mean square, (B,), of luma that changes sign from pixel to pixel, in 255ths, of `image` (B, 3, H, W) in [-1, 1].

    The filter (1, -4, 6, -4, 1) / 16 along rows and along columns: stripes of -a, a, -a score a, slopes 0 and edges little.
    """
    luma = (image.float() * image.new_tensor(LUMA).view(1, 3, 1, 1)).sum(dim=1, keepdim=True) * 127.5
    taps = image.new_tensor([1, -4, 6, -4, 1]) / 16
    rows = F.conv2d(luma, taps.view(1, 1, 1, 5))[..., 2:-2, :]
    columns = F.conv2d(luma, taps.view(1, 1, 5, 1))[..., :, 2:-2]
    return (rows.square() + columns.square()).mean(dim=(1, 2, 3)).sqrt()

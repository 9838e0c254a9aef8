"""A pool of earlier fakes for the discriminator."""

import torch
from torch import Tensor


class ImagePool:
    """Keeps `size` fakes; half of the images it returns are earlier ones, which make room for the new.

    It keeps a discriminator from chasing the generator in circles (Shrivastava et al. 2017, sec. 2.3; Zhu et al. 2017, sec. 4).
    """

    def __init__(self, size: int):
        self.size, self.images = size, []

    def __call__(self, fakes: Tensor) -> Tensor:
        """Images (B, C, H, W): at each place the new fake or, half of the time once the pool is full, an earlier one."""
        chosen = []
        for fake in fakes.detach():
            fake = fake.clone()  # a view would keep the whole batch alive
            if len(self.images) < self.size:
                self.images.append(fake)
            elif torch.rand(()) < 0.5:
                place = int(torch.randint(self.size, ()))
                self.images[place], fake = fake, self.images[place]
            chosen.append(fake)
        return torch.stack(chosen)

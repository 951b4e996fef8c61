"""What numba does faster than torch on the CPU; imported only where numba is there."""

from typing import TYPE_CHECKING

import numba

if TYPE_CHECKING:
    import numpy as np
    import torch


@numba.njit(cache=True)
def _contract(gram: "np.ndarray", coefficient: "np.ndarray", result: "np.ndarray") -> None:
    for i in range(gram.shape[0]):
        for j in range(gram.shape[1]):
            for h in range(gram.shape[2]):
                result[i, h] -= gram[i, j, h] * coefficient[j, h]


def contract(gram: "torch.Tensor", coefficient: "torch.Tensor", start: "torch.Tensor") -> "torch.Tensor":
    """``start[i, h] - sum over j of gram[i, j, h] * coefficient[j, h]``; all contiguous and on the CPU."""
    result = start.clone()
    _contract(gram.numpy(), coefficient.numpy(), result.numpy())
    return result

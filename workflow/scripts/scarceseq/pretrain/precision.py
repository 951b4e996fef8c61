"""In which number format the arithmetic of training is done, and whether it is the same each time."""

import logging
import os

import torch

logger = logging.getLogger(__name__)


def choose_dtype(precision, device):
    """Format of activations; weights, their gradients and the optimiser stay float32.

    Parameters
    ----------
    precision : {'auto', 'float32', 'bfloat16'}
        ``auto`` is bfloat16 on CUDA and float32 on the processor.
    device : torch.device

    Returns
    -------
    torch.dtype
        float32 in place of bfloat16 if the device would have to emulate it, with a warning.
    """
    if precision == "float32" or (precision == "auto" and device.type == "cpu"):
        return torch.float32
    if device.type == "cuda":
        known = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        known = any(torch.cpu.get_capabilities().get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))
    if not known:
        if precision == "bfloat16":
            logger.warning("this device does not compute in bfloat16: float32 is used")
        return torch.float32
    return torch.bfloat16


def repeat_exactly():
    """Let torch use only algorithms that give the same bits each time; it raises where there is none."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]

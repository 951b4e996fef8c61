"""Where torch computes."""

import torch

from scarceseq.errors import InputError


def choose(device: str = "auto") -> torch.device:
    """torch device for the config key ``device``, 'auto', 'cpu' or 'cuda'; `InputError` if it is not available."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("config key device: 'cuda' was asked for, torch finds no CUDA device; use 'auto' or 'cpu'")
    if device not in ("cpu", "cuda"):
        raise InputError(f"config key device: '{device}' is none of auto, cpu, cuda")
    return torch.device(device)

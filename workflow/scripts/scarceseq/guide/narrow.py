"""Matrices of a packed model in 16 bits, so that the file is half as large; in use they have 32 again."""

from pathlib import Path

import safetensors
import safetensors.torch
import torch

from scarceseq.errors import InputError
from scarceseq.files import atomic


def narrow(source: str | Path, target: str | Path) -> None:
    """Copy a safetensors file with its float32 matrices as float16; vectors stay as they are.

    Raises InputError if a value is too large for 16 bits.
    """
    tensors = safetensors.torch.load_file(source)
    for name, tensor in tensors.items():
        if tensor.dtype == torch.float32 and tensor.ndim > 1:
            tensors[name] = tensor.half().contiguous()
            if not torch.isfinite(tensors[name]).all() and torch.isfinite(tensor).all():
                raise InputError(f"{source}: '{name}' has a value too large for 16 bits; set guide.packed_bits to 32")
    safetensors.torch.save_file(tensors, target)


def widen(path: str | Path) -> None:
    """Rewrite a safetensors file with its float16 tensors as float32, if it has any.

    A file that cannot be read is left to the check of the content.
    """
    try:
        with safetensors.safe_open(path, "pt") as handle:
            kinds = {handle.get_slice(name).get_dtype() for name in handle.keys()}  # noqa: SIM118
    except safetensors.SafetensorError:
        return
    if "F16" not in kinds:
        return
    tensors = safetensors.torch.load_file(path)
    tensors = {name: tensor.float() if tensor.dtype == torch.float16 else tensor for name, tensor in tensors.items()}
    with atomic(path, sealed=True) as temporary:
        safetensors.torch.save_file(tensors, temporary)

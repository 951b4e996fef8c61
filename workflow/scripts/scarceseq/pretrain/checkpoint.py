"""Checkpoints: all that a training run needs to go on as if it had not been interrupted, in one file.

Tensors are a safetensors file, scalars JSON in its header, so that reading one runs no code. The file is written beside
the one before and renamed, so a kill leaves one or the other. There are no states of generators in it: every draw has
a seed that says what it is for (step, block of samples), see `scarceseq.pretrain.masking`.
"""

import hashlib
import json
import logging
import os
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from scarceseq.errors import InputError
from scarceseq.files import atomic
from scarceseq.seals import checked

logger = logging.getLogger(__name__)

NAME = "state.safetensors"


def fingerprint(**inputs: Any) -> str:
    """SHA-256 of what a run depends on, as JSON."""
    return hashlib.sha256(json.dumps(inputs, sort_keys=True, default=list).encode()).hexdigest()


class Checkpoint:
    """The checkpoint of one training run, in a folder of its own, which need not exist.

    `fingerprint` is of what the run depends on; a checkpoint of another run is not used.
    """

    def __init__(self, folder: str | Path, fingerprint: str) -> None:
        self.folder, self.fingerprint = Path(folder), fingerprint
        self.path = self.folder / NAME

    def save(self, tensors: dict[str, torch.Tensor], scalars: dict[str, Any]) -> None:
        """Replace the checkpoint; `scalars` are what JSON can hold, NaN included."""
        metadata = {"fingerprint": self.fingerprint, "scalars": json.dumps(scalars)}
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        with atomic(self.path, sealed=True) as temporary:
            safetensors.torch.save_file(tensors, temporary, metadata)
            with open(temporary, "rb") as handle:
                os.fsync(handle.fileno())

    def load(self) -> tuple[dict[str, torch.Tensor], dict[str, Any]] | None:
        """(tensors, scalars) on the processor, or None if there is no checkpoint of this run."""
        if not self.path.exists():
            return None
        try:
            with safetensors.safe_open(checked(self.path), "pt") as handle:
                metadata = handle.metadata() or {}
                tensors = {name: handle.get_tensor(name) for name in handle.keys()}  # noqa: SIM118
        except (safetensors.SafetensorError, InputError) as error:
            logger.warning("%s cannot be read (%s): training starts anew", self.path, error)
            return None
        if metadata.get("fingerprint") != self.fingerprint:
            logger.info("%s is of other settings, data or code: training starts anew", self.path)
            return None
        return tensors, json.loads(metadata["scalars"])

    def delete(self) -> None:
        """Remove the checkpoint, and what a kill left half-written beside it."""
        if self.folder.is_dir():
            for path in self.folder.iterdir():
                path.unlink()
            self.folder.rmdir()

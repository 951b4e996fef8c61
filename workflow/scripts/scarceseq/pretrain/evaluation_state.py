"""What an evaluation has done so far, on disk: one that is killed goes on where it was."""

import json
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch

from scarceseq.errors import InputError
from scarceseq.files import atomic
from scarceseq.pretrain.components import Components
from scarceseq.seals import checked

SAVE_EVERY_SECONDS = 20.0
SCORES, COMPONENTS = "evaluation.safetensors", "components.safetensors"


class Done:
    """Scores of the studies that are done, and the components of the training samples.

    They are kept in the checkpoint's `folder`, if there is one. `fingerprint` is of the run, and of the step whose
    weights are evaluated; what another run left is not used.
    """

    def __init__(self, folder: str | Path | None = None, fingerprint: str = "") -> None:
        self.folder = None if folder is None else Path(folder)
        self.fingerprint, self.saved = fingerprint, time.monotonic()
        read = self._read(SCORES)
        self.rows: list[dict[str, Any]] = json.loads(read[1]["rows"]) if read else []

    def add(self, rows: list[dict[str, Any]]) -> None:
        """Keep the rows of one more study; written from time to time."""
        self.rows += rows
        if time.monotonic() - self.saved > SAVE_EVERY_SECONDS:
            self.saved = time.monotonic()
            self._write(SCORES, {"none": torch.zeros(1)}, {"rows": json.dumps(self.rows)})

    def of(self, role: str, study: str) -> list[dict[str, Any]]:
        """Rows of a study; empty if it is not done."""
        return [row for row in self.rows if (row["split_role"], row["study"]) == (role, study)]

    def components(self, fit: Callable[[], Components]) -> Components:
        """The components that were kept, or those of `fit`, which are kept."""
        read = self._read(COMPONENTS)
        if read:
            arrays = {name: tensor.numpy() for name, tensor in read[0].items()}
            return Components(**arrays | {"total_variance": arrays["total_variance"].item()})
        fitted = fit()
        values = {field.name: np.ascontiguousarray(getattr(fitted, field.name)) for field in fields(fitted)}
        self._write(COMPONENTS, {name: torch.from_numpy(value) for name, value in values.items()}, {})
        return fitted

    def _write(self, name: str, tensors: dict[str, torch.Tensor], metadata: dict[str, str]) -> None:
        if self.folder is not None:
            with atomic(self.folder / name, sealed=True) as temporary:
                safetensors.torch.save_file(tensors, temporary, metadata | {"fingerprint": self.fingerprint})

    def _read(self, name: str) -> tuple[dict[str, torch.Tensor], dict[str, str]] | None:
        if self.folder is None or not (self.folder / name).exists():
            return None
        try:
            with safetensors.safe_open(checked(self.folder / name), "pt") as handle:
                metadata = handle.metadata() or {}
                tensors = {key: handle.get_tensor(key) for key in handle.keys()}  # noqa: SIM118
        except (safetensors.SafetensorError, InputError):
            return None
        return (tensors, metadata) if metadata.get("fingerprint") == self.fingerprint else None

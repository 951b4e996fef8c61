"""Single cells of a screen, for predictors that train on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import sparse

from scarceseq.errors import InputError
from scarceseq.screen.groups import Groups


@dataclass(frozen=True)
class Cells:
    """Log-normalised cells and whose they are."""

    expression: sparse.csr_matrix  # (cells, genes), float32
    condition: np.ndarray  # (cells,), 0 is control, 1 + i the perturbation i of the screen's profiles; rising
    batch: np.ndarray  # (cells,), experimental batch; all 0 where the screen knows none


def read_cells(path: str | Path, perturbations: Sequence[str], drop_expressing: bool = False) -> Cells:
    """Cells of control and of the perturbations (those of the screen's profiles, in their order), if so set without
    those that still express the perturbed gene, as the profiles are.

    Raises
    ------
    InputError
        If the file, which `normalise_cells` wrote, lacks the cells of a perturbation.
    """
    names = ["control", *perturbations]
    with Groups(path, drop_expressing) as groups:
        missing = sorted(set(perturbations) - set(groups.names))
        if missing:
            raise InputError(f"{path}: there are no cells of {missing[0]}; rerun normalise_cells and prepare_screen")
        expression = sparse.vstack([groups.read(name) for name in names], format="csr")
        condition = np.repeat(np.arange(len(names)), [groups.size(name) for name in names])
        batch = np.concatenate([groups.batches(name) for name in names])
    return Cells(expression, condition, np.unique(batch, return_inverse=True)[1])

"""Cells that have a guide and do not respond: told from the others by a mixture, as Mixscape does.

Of each perturbation the genes that differ from control cells span a signature, along which every cell has a score. Two
normal components are fitted to the scores of perturbed and control cells together; cells of the component that control
cells belong to have escaped. Signature and mixture are fitted again without them until nothing changes (Papalexi et al.
2021, Nature Genetics 53:322).
"""

import logging
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse, stats
from sklearn.mixture import GaussianMixture

from scarceseq.screen.differential import welch
from scarceseq.screen.groups import Groups
from scarceseq.screen.rows import CellFile, write_cells

log = logging.getLogger(__name__)

SIGNIFICANT = 0.05
LEAST_GENES, MOST_GENES = 5, 100
"""Genes of a signature; with fewer significant ones nothing is told, and no cell is left out."""
LEAST_DISTANCE = 2.0
"""Of the components' means, in standard deviations of control cells; nearer ones are not told apart."""
ITERATIONS = 10


def drop_escaped(path: str | Path) -> dict[str, Any]:
    """Leave escaped cells out of a file of `normalise_cells`, which is written anew in place.

    Returns
    -------
    dict
        cells, cells_escaped, perturbations_with_escaped_cells, perturbations_not_judged (without a signature), and
        escaped_cells, the number of each perturbation that has some.
    """
    with Groups(path) as groups:
        labels = groups.labels
        kept, counts, unjudged = np.ones(len(labels), dtype=bool), {}, 0
        control = groups.read("control")
        for name in groups.names:
            escaped = escaped_cells(groups.read(name), control)
            unjudged += escaped is None
            if escaped is not None and escaped.any():
                counts[name] = int(escaped.sum())
                kept[np.flatnonzero(labels == name)[escaped]] = False
    if counts:
        _copy(path, kept)
    log.info("%s: %d escaped cells of %d perturbations are left out", path, (~kept).sum(), len(counts))
    return {
        "cells": int(kept.sum()),
        "cells_escaped": int((~kept).sum()),
        "perturbations_with_escaped_cells": len(counts),
        "perturbations_not_judged": int(unjudged),
        "escaped_cells": counts,
    }


def _copy(path: str | Path, kept: np.ndarray) -> None:
    """Write a file of cells again with those that are kept."""
    other = Path(f"{path}.kept")
    with CellFile(path) as source:
        lengths = np.concatenate([np.diff(block.indptr) for _, _, block in source.blocks()])
        place = np.cumsum(kept) - 1
        with write_cells(other, source.obs[kept], source.var, lengths[kept]) as write:
            for start, stop, block in source.blocks():
                here = kept[start:stop]
                write(place[start:stop][here], block[here])
    other.replace(path)


def escaped_cells(cells: sparse.csr_matrix, control: sparse.csr_matrix) -> np.ndarray | None:
    """Which cells of a perturbation have escaped, (cells,); None where too few genes differ for a signature.

    Cells and control cells are log-normalised, (cells, genes).
    """
    escaped = np.zeros(cells.shape[0], dtype=bool)
    resting = moments(control)
    for _ in range(ITERATIONS):
        genes = signature(cells[~escaped], resting, control.shape[0])
        if len(genes) < LEAST_GENES:
            return None if not escaped.any() else escaped
        both = [block[:, genes].toarray() - resting[0][genes] for block in (cells, control)]
        direction = both[0][~escaped].mean(axis=0)
        scores, control_scores = (block @ direction / np.linalg.norm(direction) for block in both)
        near = near_control(scores, control_scores)
        if near.all() or (near == escaped).all():
            break
        escaped = near
    return escaped


def moments(cells: sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance (size - 1) of each gene."""
    size, values = cells.shape[0], cells.astype(np.float64)
    mean = np.asarray(values.mean(axis=0)).ravel()
    square = np.asarray(values.multiply(values).mean(axis=0)).ravel()
    return mean, np.maximum(square - mean**2, 0) * size / max(size - 1, 1)


def signature(cells: sparse.csr_matrix, resting: tuple[np.ndarray, np.ndarray], control_size: int) -> np.ndarray:
    """Genes that differ from control cells by Welch's t test, adjusted (Benjamini and Hochberg); the strongest."""
    if cells.shape[0] < 2:
        return np.zeros(0, dtype=int)
    score, p_value = welch(*moments(cells), cells.shape[0], *resting, control_size)
    significant = np.flatnonzero(stats.false_discovery_control(p_value) < SIGNIFICANT)
    return np.sort(significant[np.argsort(-np.abs(score[significant]), kind="stable")][:MOST_GENES])


def near_control(scores: np.ndarray, control: np.ndarray) -> np.ndarray:
    """True for scores of the component that control cells belong to; none where two are not told apart.

    As many control cells as perturbed ones are used, evenly spaced quantiles of them.
    """
    used = np.sort(control)[np.linspace(0, len(control) - 1, min(len(control), len(scores))).astype(int)]
    spread = control.std(ddof=1)
    start = np.array([[control.mean()], [np.quantile(scores, 0.75)]])
    mixture = GaussianMixture(2, means_init=start, random_state=0).fit(np.concatenate([scores, used])[:, None])
    resting = int(np.argmin(np.abs(mixture.means_.ravel() - control.mean())))
    if np.ptp(mixture.means_) < LEAST_DISTANCE * spread:
        return np.zeros(len(scores), dtype=bool)
    return mixture.predict(scores[:, None]) == resting

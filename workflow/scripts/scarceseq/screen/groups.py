"""Cells of one perturbation at a time, from the sorted file of `normalise_cells`."""

from pathlib import Path

import numpy as np
from scipy import sparse

from scarceseq.screen.rows import CellFile


class Groups:
    """Groups of cells by perturbation, by which the file is sorted.

    Attributes
    ----------
    names : list of str
        Perturbations, sorted, without control and without those of fewer than `min_cells` cells.
    genes : numpy.ndarray of str
    labels : numpy.ndarray of str
        Perturbation of each cell of the file, in its order.

    With `drop_expressing`, cells that still express the perturbed gene are left out.
    """

    def __init__(self, path: str | Path, drop_expressing: bool = False, min_cells: int = 1) -> None:
        self._file = CellFile(path)
        labels = self.labels = self._file.obs["perturbation"].to_numpy(dtype=str)
        names, first, count = np.unique(labels, return_index=True, return_counts=True)
        self._slices = {n: slice(f, f + c) for n, f, c in zip(names, first, count, strict=True)}
        if any(labels[rows].tolist() != [name] * (rows.stop - rows.start) for name, rows in self._slices.items()):
            raise ValueError(f"{path}: cells are not sorted by perturbation")
        self._kept = np.ones(len(labels), dtype=bool)
        if drop_expressing:
            self._kept = ~self._file.obs["target_expressed"].to_numpy(dtype=bool)
        self.names = [name for name in names if name != "control" and self.size(name) >= min_cells]
        self.too_small = len(names) - 1 - len(self.names)
        self.genes = self._file.var.index.to_numpy(dtype=str)

    def __enter__(self) -> "Groups":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.__exit__()

    def size(self, name: str) -> int:
        """Number of cells of a group."""
        return int(self._kept[self._slices[name]].sum())

    def read(self, name: str) -> sparse.csr_matrix:
        """Cells of a group, CSR, cells x genes."""
        rows = self._slices[name]
        return self._file.rows(rows.start, rows.stop)[self._kept[rows]]

    def batches(self, name: str) -> np.ndarray:
        """Experimental batch of each cell of a group; all one where the screen has none."""
        obs, rows = self._file.obs, self._slices[name]
        if "batch" not in obs:
            return np.zeros(self.size(name), dtype=str)
        return obs["batch"].to_numpy(dtype=str)[rows][self._kept[rows]]

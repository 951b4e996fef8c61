"""Mean profiles over genes: a table of perturbations x genes, such as pseudobulk means or log-fold changes."""

import re
from collections.abc import Sequence
from typing import Any

import anndata
import numpy as np
import pandas as pd

from scarceseq.errors import InputError
from scarceseq.screen.combinations import combined, genes_of
from scarceseq.screen.conventions import CONTROLS, JOINTS
from scarceseq.screen.settings import ScreenSettings, control_names
from scarceseq.screen.symbols import up_to_date
from scarceseq.user_h5ad import read_whole
from scarceseq.user_tables import read_user_table

LEAST_GENES = 2


def read_profiles(
    path: str, settings: ScreenSettings, current: dict[str, str]
) -> tuple[anndata.AnnData, dict[str, Any]]:
    """Differences to control over genes, one row per perturbed gene.

    Parameters
    ----------
    path : str
        Text, `.parquet` or `.h5ad`.
    current : dict of str to str
        Today's symbols of renamed genes.

    Returns
    -------
    (anndata.AnnData, dict)
        Perturbations x genes, X = delta; obs: rows (guides averaged); uns: kind, transductive; var: control_mean where
        the file holds means of expression. Counts.

    Raises
    ------
    InputError
        For a missing column, a gene twice, text among numbers, no control where one is needed, nothing left.
    """
    names, genes, values = _from_h5ad(path, settings) if str(path).endswith(".h5ad") else _from_table(path, settings)
    genes, genes_renamed = up_to_date(genes, current)
    twice = pd.Index(genes)[pd.Index(genes).duplicated()]
    if len(twice):
        raise InputError(f"{path}: gene {twice[0]} is there twice; average its values, or leave one out")
    missing = ~np.isfinite(values).all(axis=0)
    if (~missing).sum() < LEAST_GENES:
        raise InputError(
            f"{path}: every gene lacks a value in some profile; leave profiles of few genes out by the screen's key "
            "exclude"
        )
    values, genes = values[:, ~missing], np.array(genes)[~missing]
    controls = control_names(settings.control) or list(CONTROLS)
    is_control = np.isin(names, controls)
    control = values[is_control].mean(axis=0) if is_control.any() else None
    if settings.profile_values == "expression":
        if control is None:
            raise InputError(
                f"{path}: no profile is of control cells, from which differences could be taken; name it by the "
                "screen's key control, or set profile_values: delta if the values are differences already"
            )
        values = values - control
    perturbed_by = np.array([perturbed_gene(name, settings, controls) for name in names], dtype=object)
    used = ~is_control & (perturbed_by != "")
    named = [up_to_date(genes_of(name), current) for name in perturbed_by[used]]
    perturbed, renamed = [combined(genes) for genes, _ in named], sum(changed for _, changed in named)
    frame = pd.DataFrame(values[used]).groupby(np.array(perturbed, dtype=str), sort=True)
    mean = frame.mean()
    if len(mean) < 2:
        raise InputError(
            f"{path}: {len(mean)} perturbation is left after control and excluded ones; perturbations are expected in "
            f"the {settings.perturbations_in} (perturbations_in)"
        )
    result = anndata.AnnData(mean.to_numpy(dtype=np.float32))
    result.obs_names, result.var_names = mean.index.astype(str), genes
    result.obs["rows"] = frame.size().to_numpy()
    if settings.profile_values == "expression":
        result.var["control_mean"] = control
    result.uns = {"kind": "profiles", "transductive": settings.transductive}
    return result, {
        "perturbations": len(mean),
        "genes": len(genes),
        "genes_with_missing_values": int(missing.sum()),
        "genes_renamed": genes_renamed,
        "rows": int(used.sum()),
        "rows_renamed": renamed,
        "rows_left_out": int((~used).sum()),
        "rows_of_combinations": int(((perturbed_by == "") & (names != "") & ~is_control).sum()),
    }


def perturbed_gene(name: str, settings: ScreenSettings, controls: Sequence[str]) -> str:
    """The gene that a profile's name stands for, without prefix and suffix; '' for a combination, unless of two.

    Doubles have a name where the settings keep them.
    """
    joints = [re.escape(joint) for joint in JOINTS if joint not in (settings.label_separator or "")]
    pieces = [piece.strip() for piece in re.split("|".join(joints), name)] if joints else [name]
    pieces = [piece.removeprefix(settings.label_prefix or "") for piece in pieces if piece and piece not in controls]
    if settings.label_separator:
        pieces = [piece.split(settings.label_separator)[0] for piece in pieces]
    several = settings.doubles and len(set(pieces)) == 2 == len(pieces)
    return combined(pieces) if several or len(pieces) == 1 else ""


def _from_h5ad(path: str, settings: ScreenSettings) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Names of profiles, genes, and values (profiles, genes) of an `.h5ad`, without what is excluded."""
    values, obs, var = read_whole(path, settings.layer or "")
    if settings.perturbations_in == "columns":
        raise InputError(f"{path}: an .h5ad holds perturbations in its rows; set perturbations_in: rows")
    tables = {"obs": (obs, settings.perturbation_column), "var": (var, settings.gene_symbol_column)}
    for table, (frame, column) in tables.items():
        if column is not None and column not in frame:
            raise InputError(f"{path}: {table} has no column '{column}'; it has {', '.join(map(str, frame.columns))}")
    named, symbols = (
        (frame.index if column is None else frame[column]).astype(str).to_numpy(dtype=str)
        for frame, column in tables.values()
    )
    kept = ~np.isin(named, settings.exclude)
    return named[kept], symbols.tolist(), np.asarray(values, dtype=float)[kept]


def _from_table(path: str, settings: ScreenSettings) -> tuple[np.ndarray, list[str], np.ndarray]:
    """The same of a table, whose rows or columns are the profiles."""
    in_rows = settings.perturbations_in == "rows"
    column = settings.perturbation_column if in_rows else settings.gene_symbol_column
    table = read_user_table(path, [column] if column else [], row_names=column is None)
    place = table.place(column) if column else 0
    rows = table.cells[place].to_pandas().to_numpy(dtype=str)
    left_out = {place, *(at for at, name in enumerate(table.header) if name in settings.exclude)}
    columns = [at for at in range(len(table.header)) if at not in left_out]
    values, named = table.numbers(columns), [table.header[at] for at in columns]
    kept = ~np.isin(rows, settings.exclude) & (rows != "")
    if in_rows:
        return rows[kept], named, values[kept]
    return np.array(named), rows[kept].tolist(), values[kept].T

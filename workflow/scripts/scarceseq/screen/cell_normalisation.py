"""Single cells of a screen: check, choose, normalise, and put in the order of their perturbations."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import scanpy
from scipy import sparse

from scarceseq.errors import InputError
from scarceseq.screen.combinations import combined, genes_of, is_double
from scarceseq.screen.conventions import symbol_column
from scarceseq.screen.gene_names import GeneNames
from scarceseq.screen.labels import (
    check_controls,
    count_genes,
    count_set_aside,
    drop_small_groups,
    find_labels,
    perturbed_genes,
    read_labels,
    text_labels,
)
from scarceseq.screen.rows import CellFile, write_cells
from scarceseq.screen.settings import ScreenSettings
from scarceseq.screen.symbols import up_to_date
from scarceseq.screen.values import Evidence, what_values

log = logging.getLogger(__name__)

CONTROL_SAMPLE = 10_000
"""Control cells, evenly spaced, by which genes are chosen and a target counts as expressed."""


def normalise_cells(
    path: str | Path, target: str | Path, settings: ScreenSettings, current: dict[str, str]
) -> dict[str, Any]:
    """Write control and perturbed cells of a screen, log-normalised, control first, then by perturbation.

    Cells without a label, combinations (doubles unless they are kept), excluded labels and perturbations with too few
    cells are set aside and counted.
    Memory holds a block of cells, a sample of control cells, and numbers per cell and gene.

    Parameters
    ----------
    path : path
        `.h5ad` with cells x genes.
    target : path
        Written: `.h5ad`, cells x genes, log(1 + counts per `target_sum`), CSR float32; obs ``perturbation`` (gene
        symbol, two joined by a plus, or ``control``), ``target_expressed`` (whether the cell has more of the one
        perturbed gene's transcript than the quantile `target_quantile` of control cells), ``batch`` if there is a
        column for it.
    current : dict of str to str
        Today's symbols of renamed genes.

    Returns
    -------
    dict
        What was recognised, and counts.

    Raises
    ------
    InputError
        For a missing column, no control cells, values that are not what the config says.
    """
    with CellFile(path, settings.layer) as source:
        column = symbol_column(source.var, settings.gene_symbol_column, path)
        genes, renamed = gene_symbols(source.var, column, current)
        single, counts = choose_cells(source, GeneNames(source.var, genes, current), settings, current, path)
        survey = survey_cells(source, single, settings, path)
        kept = choose_genes(survey.control, genes, single, settings.highly_variable_genes)
        threshold = target_thresholds(survey.control, genes, single, settings.target_quantile)
        lengths = survey.lengths if kept.all() else row_lengths(source, kept)
        order = np.flatnonzero(single != "")
        order = order[np.lexsort((order, single[order].astype(str), single[order] != "control"))]
        obs = cell_table(source.obs, single, order, settings)
        var = pd.DataFrame(index=pd.Index(genes[kept], name="gene"))
        with write_cells(target, obs, var, lengths[order]) as write:
            copied = Copied(order, single, genes, kept)
            obs["target_expressed"] = copy_cells(source, copied, survey, threshold, write, settings)
    counts |= {
        "cells": len(order),
        "control_cells": int((single == "control").sum()),
        "genes": int(kept.sum()),
        "genes_renamed": renamed,
        "cells_expressing_target": int(obs["target_expressed"].sum()),
        "values": survey.values,
        "gene_symbol_column": column or "index",
    }
    log.info("%s: %s", path, counts)
    return counts


def choose_cells(
    source: CellFile, genes: GeneNames, settings: ScreenSettings, current: dict[str, str], path: object
) -> tuple[np.ndarray, dict[str, Any]]:
    """Label of each cell, '' where it is set aside, and how many were."""
    obs, left_out = source.obs, other_cells(source.obs, settings.keep_cells, path)
    column, reader = find_labels(obs, genes, settings, path)
    labels = obs[column].astype(object).to_numpy()
    check_controls(text_labels(obs.loc[~left_out, column]), reader, settings.control is not None, path)
    single = read_labels(labels, reader)
    if "nperts" in obs:  # what joins genes by underscores, as scPerturb does, and could not be read as a double
        doubles = np.array([is_double(name) for name in single])
        single[(obs["nperts"].to_numpy(dtype=float) > 1) & (single != "control") & ~doubles] = ""
    counts: dict[str, Any] = count_set_aside(labels, single, reader)
    counts |= {"perturbation_column": column, "cells_of_other_kinds": int(left_out.sum())}
    counts["doubles_with_underscore"] = len(reader.underscored)
    single[left_out] = ""
    counts["control_label"] = ", ".join(sorted(set(labels[single == "control"])))
    single = np.array([combined(up_to_date(genes_of(name), current)[0]) for name in single], dtype=object)
    counts |= count_genes(labels, single, genes, settings.minimum_matched_share, path)
    single, small = drop_small_groups(single, settings.min_cells)
    if not (single == "control").any():
        raise InputError(f"{path}: no control cell is left; check the screen's keys control and keep_cells")
    if (single != "").sum() == (single == "control").sum():
        raise InputError(
            f"{path}: no single-gene perturbation has {settings.min_cells} cells; "
            "check perturbation_column and min_cells"
        )
    return single, counts | small


def other_cells(obs: pd.DataFrame, kept: dict[str, str], path: object) -> np.ndarray:
    """True for cells that have not the values, by column, that are kept."""
    left_out = np.zeros(len(obs), dtype=bool)
    for column, value in kept.items():
        if column not in obs:
            raise InputError(f"{path}: obs has no column '{column}' (keep_cells)")
        left_out |= (obs[column].astype(str) != str(value)).to_numpy()
    return left_out


def gene_symbols(var: pd.DataFrame, column: str | None, current: dict[str, str]) -> tuple[np.ndarray, int]:
    """Gene symbols of the columns, brought up to date and made unique, and how many changed.

    A gene keeps its old symbol where another column has the new one.
    """
    names = list((var.index if column is None else var[column]).astype(str))
    present = set(names)
    renamed, changed = up_to_date(names, {old: new for old, new in current.items() if new not in present})
    return anndata.utils.make_index_unique(pd.Index(renamed)).to_numpy(dtype=str), changed


@dataclass(frozen=True)
class Survey:
    """What one pass over all cells tells."""

    values: str  # counts, normalised or log_normalised
    totals: np.ndarray  # (cells,), sum of each cell
    lengths: np.ndarray  # (cells,), stored values of each cell
    control: sparse.csr_matrix  # sampled control cells x genes, log-normalised


def survey_cells(source: CellFile, single: np.ndarray, settings: ScreenSettings, path: str | Path) -> Survey:
    """Read all cells once: totals, what kind of values they are, a sample of control cells."""
    totals, lengths = np.zeros(len(single)), np.zeros(len(single), dtype=np.int64)
    rows = np.flatnonzero(single == "control")
    sampled = rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), CONTROL_SAMPLE)).astype(int))]
    control, evidence = [], Evidence()
    for start, stop, block in source.blocks():
        used = single[start:stop] != ""
        chosen = block[used]
        if not np.isfinite(chosen.data).all() or (chosen.data < 0).any():
            raise InputError(f"{path}: X holds negative or missing values; give raw counts or log-normalised values")
        evidence.add(chosen)
        lengths[start:stop] = np.diff(block.indptr)
        row = np.repeat(np.arange(stop - start), lengths[start:stop])
        totals[start:stop] = np.bincount(row, weights=block.data, minlength=stop - start)
        here = sampled[(sampled >= start) & (sampled < stop)]
        control.append(block[here - start])
    values = what_values(evidence, settings.values, source.logged, path)
    control = normalised(sparse.vstack(control, format="csr"), totals[sampled], values, settings.target_sum)
    return Survey(values, totals, lengths, control)


def normalised(block: sparse.csr_matrix, totals: np.ndarray, values: str, target_sum: float) -> sparse.csr_matrix:
    """Rows as log(1 + counts per `target_sum`); what is logged already stays as it is."""
    if values == "normalised":
        block = block.copy()
        block.data = np.log1p(block.data)
    elif values == "counts":
        scale = np.divide(target_sum, totals, out=np.zeros(len(totals)), where=totals > 0)
        block = block.copy()
        block.data = np.log1p(block.data * np.repeat(scale, np.diff(block.indptr))).astype(np.float32)
    return block


def choose_genes(control: sparse.csr_matrix, genes: np.ndarray, single: np.ndarray, count: int) -> np.ndarray:
    """True for the `count` genes most variable among control cells, and the perturbed genes; for all genes if 0.

    Perturbed cells have no say, so that no test perturbation shapes the choice.
    """
    if not count or count >= len(genes):
        return np.ones(len(genes), dtype=bool)
    data = anndata.AnnData(control)
    table = scanpy.pp.highly_variable_genes(data, n_top_genes=count, flavor="seurat", inplace=False)
    return table["highly_variable"].to_numpy() | np.isin(genes, list(perturbed_genes(single)))


def target_thresholds(
    control: sparse.csr_matrix, genes: np.ndarray, single: np.ndarray, quantile: float
) -> dict[str, float]:
    """Quantile of each perturbed gene's expression in control cells, by gene; genes that were not measured lack."""
    place = {gene: column for column, gene in enumerate(genes)}
    by_gene = control.tocsc()
    return {
        gene: float(np.quantile(by_gene[:, [place[gene]]].toarray(), quantile))
        for gene in sorted(set(single) - {"", "control"})
        if gene in place
    }


def row_lengths(source: CellFile, kept: np.ndarray) -> np.ndarray:
    """Stored values of each cell among the kept genes."""
    return np.concatenate([np.diff(block[:, kept].indptr) for _, _, block in source.blocks()])


def cell_table(obs: pd.DataFrame, single: np.ndarray, order: np.ndarray, settings: ScreenSettings) -> pd.DataFrame:
    """obs of the cells in their new order."""
    table = pd.DataFrame({"perturbation": single[order].astype(str)}, index=obs.index[order].astype(str))
    if settings.batch_column is not None:
        if settings.batch_column not in obs:
            raise InputError(f"obs has no column '{settings.batch_column}' (batch_column)")
        table["batch"] = obs[settings.batch_column].to_numpy()[order].astype(str)
    return table


@dataclass(frozen=True)
class Copied:
    """Which cells and genes are copied, and where cells go."""

    order: np.ndarray  # positions in the file of the cells to write
    single: np.ndarray  # (cells of the file,), perturbation
    genes: np.ndarray
    kept: np.ndarray  # (genes,), bool


def copy_cells(
    source: CellFile,
    copied: Copied,
    survey: Survey,
    threshold: dict[str, float],
    write: Callable[[np.ndarray, sparse.csr_matrix], None],
    settings: ScreenSettings,
) -> np.ndarray:
    """Normalise the chosen cells and write them at their places; true where the target is still expressed."""
    place = np.full(len(copied.single), -1)
    place[copied.order] = np.arange(len(copied.order))
    column = {gene: index for index, gene in enumerate(copied.genes)}
    limit = np.array([threshold.get(label, np.inf) for label in copied.single])
    column_of = np.array([column.get(label, 0) for label in copied.single])
    expressed = np.zeros(len(copied.order), dtype=bool)
    for start, stop, block in source.blocks():
        rows = start + np.flatnonzero(place[start:stop] >= 0)
        if not len(rows):
            continue
        values = normalised(block[rows - start], survey.totals[rows], survey.values, settings.target_sum)
        amount = np.asarray(values[np.arange(len(rows)), column_of[rows]]).ravel()
        expressed[place[rows]] = amount > limit[rows]
        write(place[rows], values if copied.kept.all() else values[:, copied.kept])
    return expressed

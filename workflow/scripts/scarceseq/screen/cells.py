"""Single cells of a screen: check, choose, normalise."""

import logging
import re

import anndata
import numpy as np
import scanpy
from scipy import sparse

from scarceseq.errors import InputError

log = logging.getLogger(__name__)

SEPARATORS = re.compile(r"[+,]")


def normalise_cells(path, settings):
    """Control and single-gene cells of a screen, log-normalised.

    Cells without a label, combinations, excluded labels and perturbations with too few cells are set aside and counted.

    Parameters
    ----------
    path : str
        `.h5ad` with cells x genes in X.
    settings : scarceseq.screen.settings.ScreenSettings

    Returns
    -------
    (anndata.AnnData, dict)
        Cells x genes, log(1 + counts per `target_sum`), CSR float32; obs ``perturbation`` (gene symbol, or
        ``control``). Counts of what was set aside.

    Raises
    ------
    InputError
        For a missing column, no control cells, values that are not what the config says.
    """
    data = anndata.read_h5ad(path)
    if settings.perturbation_column not in data.obs:
        known = ", ".join(map(str, data.obs.columns))
        raise InputError(
            f"{path}: obs has no column '{settings.perturbation_column}' (perturbation_column); it has {known}"
        )
    labels = data.obs[settings.perturbation_column].astype(object).to_numpy()
    single = single_gene_labels(labels, settings.control, settings.exclude)
    single, counts = drop_small_groups(single, settings.min_cells)
    counts |= count_set_aside(labels, settings)
    if not (single == "control").any():
        raise InputError(f"{path}: no cell has the control label '{settings.control}'; check the screen's key control")
    if (single != "").sum() == (single == "control").sum():
        raise InputError(
            f"{path}: no single-gene perturbation has {settings.min_cells} cells; "
            "check perturbation_column and min_cells"
        )
    chosen = single != ""
    matrix = sparse.csr_matrix(data.X[chosen], dtype=np.float32)
    check_values(matrix, settings.values, path)
    cells = anndata.AnnData(matrix)
    cells.obs_names = data.obs_names[chosen].astype(str)
    cells.var_names = gene_symbols(data, settings.gene_symbol_column, path)
    cells.obs["perturbation"] = single[chosen].astype(str)
    if settings.values == "counts":
        scanpy.pp.normalize_total(cells, target_sum=settings.target_sum)
        scanpy.pp.log1p(cells)
    cells.uns = {}
    cells = choose_genes(cells, settings.highly_variable_genes)
    counts |= {
        "cells": cells.n_obs,
        "control_cells": int((cells.obs["perturbation"] == "control").sum()),
        "genes": cells.n_vars,
    }
    log.info("%s: %s", path, counts)
    return cells, counts


def single_gene_labels(labels, control, exclude):
    """Per cell ``control``, the one perturbed gene, or '' for a cell to set aside.

    A label that joins a gene and the control ('GENE+ctrl') counts as that gene; one that joins several genes is a
    combination.
    """
    known = {}
    for label in set(labels[[isinstance(label, str) for label in labels]]):
        parts = [part.strip() for part in SEPARATORS.split(label) if part.strip() not in ("", control)]
        if label == control or (not parts and label):
            known[label] = "control"
        elif label in exclude or len(parts) != 1:
            known[label] = ""
        else:
            known[label] = parts[0]
    return np.array([known.get(label, "") for label in labels], dtype=object)


def drop_small_groups(single, min_cells):
    """Labels with '' for perturbations of fewer than `min_cells` cells, and how many those are."""
    names, counts = np.unique(single.astype(str), return_counts=True)
    small = {
        name for name, count in zip(names, counts, strict=True) if count < min_cells and name not in ("", "control")
    }
    kept = np.array(["" if label in small else label for label in single], dtype=object)
    return kept, {
        "perturbations": len(set(kept) - {"", "control"}),
        "perturbations_with_few_cells": len(small),
        "cells_of_small_perturbations": int(sum(counts[np.isin(names, list(small))])),
    }


def count_set_aside(labels, settings):
    """How many cells have no label, an excluded one, or several perturbed genes."""
    text = np.array([label if isinstance(label, str) else "" for label in labels], dtype=object)
    single = single_gene_labels(text, settings.control, settings.exclude)
    excluded = np.isin(text.astype(str), settings.exclude)
    several = (single == "") & (text != "") & ~excluded
    return {
        "cells_without_label": int((text == "").sum()),
        "cells_excluded": int(excluded.sum()),
        "cells_of_combinations": int(several.sum()),
        "combinations": len(set(text[several])),
    }


def check_values(matrix, values, path):
    """Raise `InputError` unless the values are what the key ``values`` says they are."""
    if not np.isfinite(matrix.data).all() or (matrix.data < 0).any():
        raise InputError(f"{path}: X holds negative or missing values; give raw counts or log-normalised values")
    whole = bool((matrix.data == np.round(matrix.data)).all())
    if values == "counts" and not whole:
        raise InputError(
            f"{path}: X holds fractions, so these are not raw counts; give raw counts, or set the screen's key values "
            "to log_normalised"
        )
    if values == "log_normalised" and whole:
        raise InputError(
            f"{path}: X holds whole numbers only, which log-normalised values never are; set values to counts"
        )


def gene_symbols(data, column, path):
    """Gene symbols of the columns, made unique."""
    if column is not None and column not in data.var:
        raise InputError(f"{path}: var has no column '{column}' (gene_symbol_column)")
    names = data.var_names if column is None else data.var[column]
    return anndata.utils.make_index_unique(
        names.astype(str) if column is None else type(data.var_names)(names.astype(str))
    )


def choose_genes(cells, count):
    """The `count` genes most variable among *control* cells, and the perturbed genes; all genes for 0.

    Perturbed cells have no say, so that no test perturbation shapes the choice.
    """
    if not count or count >= cells.n_vars:
        return cells
    control = cells[cells.obs["perturbation"] == "control"]
    table = scanpy.pp.highly_variable_genes(control, n_top_genes=count, flavor="seurat", inplace=False)
    wanted = table["highly_variable"].to_numpy() | cells.var_names.isin(set(cells.obs["perturbation"]))
    return cells[:, wanted].copy()

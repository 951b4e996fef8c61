"""How public screens name their columns: recognised, so that most files need no mapping in the config."""

import re
from dataclasses import dataclass

import numpy as np

from scarceseq.errors import InputError

PERTURBATION_COLUMNS = ("condition", "perturbation", "gene", "target", "target_gene")
"""GEARS, scPerturb, Replogle et al., and what others use; looked for in this order."""
CONTROLS = ("control", "ctrl", "non-targeting", "non_targeting", "NT", "unperturbed")
SYMBOL_COLUMNS = ("gene_name", "gene_symbol", "gene_symbols", "symbol")
SEPARATORS = re.compile(r"[+,]")
ENSEMBL = re.compile(r"ENS[A-Z]*G\d")


@dataclass(frozen=True)
class Columns:
    """Where a file says what."""

    perturbation: str
    control: str
    symbols: str | None  # None: the index of var


def recognise(obs, var, settings, path):
    """Columns named in the config, and the others by what public screens call them.

    Parameters
    ----------
    obs, var : pandas.DataFrame
    settings : scarceseq.screen.settings.ScreenSettings
    path : path
        Named in messages.

    Raises
    ------
    InputError
        If a named column is missing, or none is recognised.
    """
    wanted = settings.perturbation_column
    if wanted is not None and wanted not in obs:
        known = ", ".join(map(str, obs.columns))
        raise InputError(f"{path}: obs has no column '{wanted}' (perturbation_column); it has {known}")
    candidates = [wanted] if wanted is not None else [name for name in PERTURBATION_COLUMNS if name in obs]
    controls = [settings.control] if settings.control is not None else CONTROLS
    for column in candidates:
        labels = {label for label in set(obs[column]) if isinstance(label, str)}
        for control in controls:
            if any(is_control(label, control) for label in labels):
                return Columns(column, control, symbol_column(var, settings.gene_symbol_column, path))
    if settings.control is not None and wanted is not None:
        raise InputError(f"{path}: no cell has the control label '{settings.control}'; check the screen's key control")
    raise InputError(
        f"{path}: no column of obs was recognised as the perturbation with a control among its labels; "
        f"set perturbation_column and control (obs has {', '.join(map(str, obs.columns))})"
    )


def is_control(label, control):
    """Whether a label names control cells: the control's own, or several times."""
    parts = {part.strip() for part in SEPARATORS.split(label)} - {""}
    return label == control or parts == {control}


def symbol_column(var, wanted, path):
    """Column of var with gene symbols; None for the index, unless that holds Ensembl ids and a column has symbols."""
    if wanted is not None:
        if wanted not in var:
            raise InputError(f"{path}: var has no column '{wanted}' (gene_symbol_column)")
        return wanted
    ensembl = np.mean([bool(ENSEMBL.match(str(name))) for name in var.index[:1000]]) if len(var) else 0
    found = [name for name in SYMBOL_COLUMNS if name in var]
    return found[0] if ensembl > 0.5 and found else None

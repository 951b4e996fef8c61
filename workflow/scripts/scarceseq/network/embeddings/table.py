"""Embedding from a table of the user: a column with gene symbols, every other column of numbers a component."""

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from scarceseq.errors import InputError
from scarceseq.user_tables import read_user_table
from scarceseq.user_values import numbers

log = logging.getLogger(__name__)

INPUTS = ("table",)
KEYS = ("path", "gene_column")


def build(settings: Mapping[str, Any], inputs: Mapping[str, Any]) -> pd.DataFrame:
    """The table's columns of numbers, by gene; of several rows of one gene the mean."""
    path, column = inputs["table"], settings["gene_column"]
    table = read_user_table(path, [column])
    genes = table.text([column])[column]
    names, values = [], []
    for at, name in enumerate(table.header):
        component, wrong = numbers(table.cells[at])
        if at == table.place(column) or (wrong | np.isnan(component)).all():
            continue
        _check_component(component, wrong, name, at == 0, path)
        if name:
            names.append(name)
            values.append(component)
        else:
            log.info("%s: column %d has no name and is left out", path, at + 1)
    if not names:
        raise InputError(f"{path}: besides '{column}' there must be columns of numbers without empty cells")
    named = (genes != "").to_numpy()
    frame = pd.DataFrame(dict(zip(names, values, strict=True)))[named]
    return frame.groupby(pd.Index(genes[named])).mean()


def _check_component(component: np.ndarray, wrong: np.ndarray, name: str, first: bool, path: str) -> None:
    """Refuse a column of numbers with gaps, and one that numbers the rows."""
    if not np.isfinite(component).all():
        row = int((~np.isfinite(component)).argmax())
        raise InputError(
            f"{path}: there must be columns of numbers without empty cells; row {row + 1} of column '{name}' has "
            f"{'text' if wrong[row] else 'no number'}"
        )
    rows = np.arange(len(component))
    if first and name and len(rows) > 2 and (np.array_equal(component, rows) or np.array_equal(component, rows + 1)):
        raise InputError(f"{path}: column '{name}' numbers the rows and is no component: remove it")

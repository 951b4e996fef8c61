"""Embedding from a table of the user: a column with gene symbols, every other column of numbers a component."""

import pandas as pd

from scarceseq.errors import InputError
from scarceseq.files import read_table

INPUTS = ("table",)
KEYS = ("path", "gene_column")


def build(settings, inputs):
    """The table's columns of numbers, by gene; of several rows of one gene the mean.

    Parameters
    ----------
    settings : dict
        gene_column.
    inputs : dict
        ``table``: `.parquet`, `.tsv` or `.tsv.gz`.
    """
    path, column = inputs["table"], settings["gene_column"]
    table = read_table(path)
    if column not in table:
        raise InputError(f"{path}: there is no column '{column}' (gene_column); it has {', '.join(table.columns[:20])}")
    numbers = table.drop(columns=column).select_dtypes("number")
    if numbers.empty or numbers.isna().any(axis=None):
        raise InputError(f"{path}: besides '{column}' there must be columns of numbers without empty cells")
    named = table[column].notna() & (table[column].astype(str) != "")
    return numbers[named].groupby(pd.Index(table[column][named].astype(str))).mean()

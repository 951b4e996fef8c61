"""A user's tables of counts and labels as they come: text, R's exports, or an ``.h5ad``."""

import gzip
import itertools

import pandas as pd

from scarceseq.errors import InputError

MISSING = ["NA", "NaN", "nan", ""]
R_OBJECTS = (".rds", ".rda", ".rdata")


def read_counts(path, name):
    """Genes x samples table of counts, as numbers or text.

    Parameters
    ----------
    path : str
        Text with gene ids in the first column: `.csv` (by commas), otherwise by tabs or, without any, by blanks; may be
        gzipped. A first line that is one name short, as R's ``write.table`` makes it, and lines of remarks (``#``)
        above it are understood. Or an ``.h5ad`` of samples x genes: its layer ``counts``, or else its ``X``.
    name : str
        Of the study, for messages.

    Raises
    ------
    InputError
        If it is no such table, or a sample is there twice.
    """
    table = _read_h5ad(path, name)[0] if is_h5ad(path) else read_text(path, name, index=True)
    table.index = table.index.astype(str)
    if table.empty or table.columns.duplicated().any():
        raise InputError(f"user study {name}: {path} has no rows, no columns, or a column twice")
    return table


def read_labels(labels, counts, name, sample_column):
    """Table of labels, text by sample in the index; that of the samples of an ``.h5ad`` if `labels` is None.

    Raises
    ------
    InputError
        If there is no column of samples, or one is there twice.
    """
    if labels is None:
        return _read_h5ad(counts, name)[1]
    table = read_text(labels, name)
    if sample_column not in table.columns:
        raise InputError(
            f"user study {name}: {labels} has no column '{sample_column}'; it has {', '.join(table.columns)}"
        )
    return table.set_index(sample_column)


def is_h5ad(path):
    """Whether a file is an ``.h5ad``, by its name."""
    return str(path).lower().endswith(".h5ad")


def read_text(path, name, index=False):
    """Table of text; with `index`, its first column is the index and the others are numbers where they can be."""
    if str(path).lower().removesuffix(".gz").endswith(R_OBJECTS):
        raise InputError(
            f"user study {name}: {path} holds R objects, which are not read; in R, write the table with "
            'write.table(counts, "counts.tsv", sep = "\\t", quote = FALSE)'
        )
    try:
        remarks, first = _head(path)
        separator = "," if ".csv" in str(path).lower() else "\t" if "\t" in first or not index else r"\s+"
        table = pd.read_csv(
            path,
            sep=separator,
            skiprows=remarks,
            dtype=str if not index else {0: str},
            index_col=0 if index else None,
            keep_default_na=False,
            na_values=MISSING,
        )
    except (ValueError, OSError, EOFError) as error:
        raise InputError(f"user study {name}: {path} cannot be read as a table ({error})") from error
    if table.empty or table.columns.duplicated().any():
        raise InputError(f"user study {name}: {path} has no rows, no columns, or a column twice")
    return table


def _head(path):
    """How many lines of remarks there are at the beginning, and the line after them."""
    with (gzip.open if str(path).lower().endswith(".gz") else open)(path, "rt") as lines:
        for number in itertools.count():
            line = next(lines, "")
            if not line.startswith("#"):
                return number, line


def _read_h5ad(path, name):
    """Counts, genes x samples, and the samples' table as text."""
    import anndata

    try:
        found = anndata.read_h5ad(path)
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"user study {name}: {path} cannot be read as .h5ad ({error})") from error
    counts = found.layers.get("counts", found.X)
    if counts is None:
        raise InputError(f"user study {name}: {path} has neither X nor a layer 'counts'")
    counts = counts.toarray() if hasattr(counts, "toarray") else counts
    obs = found.obs.astype(object)
    obs = obs.where(obs.isna(), obs.astype(str)).replace(MISSING, None)
    return pd.DataFrame(counts.T, index=found.var_names, columns=found.obs_names), obs

"""The strongest sources of each target, gene sets and lists of genes."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd

from scarceseq.errors import InputError


def strongest_sources(target, source, weight, top_k):
    """Positions of the `top_k` heaviest edges of each target.

    Ties go to the source with the smaller index.

    Parameters
    ----------
    target, source : numpy.ndarray of int, shape (edges,)
    weight : numpy.ndarray of float, shape (edges,)
    top_k : int

    Returns
    -------
    numpy.ndarray of int
        Positions to keep, ordered by target, then falling weight.
    """
    order = np.lexsort((source, -weight, target))
    ordered = target[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(ordered) else np.empty(0, dtype=int)
    place = np.arange(len(ordered)) - np.repeat(starts, np.diff(np.r_[starts, len(ordered)]))
    return order[place < top_k]


def read_gene_sets(path):
    """Gene-term pairs of a GMT file (name, description, genes...; a ``GENE,weight`` field counts as GENE)."""
    opener = gzip.open if str(path).endswith(".gz") else open
    pairs = []
    with opener(path, "rt") as handle:
        for number, line in enumerate(handle, start=1):
            fields = line.rstrip("\n").split("\t")
            if len(fields) < 3:
                raise InputError(
                    f"{path}, line {number}: a GMT line needs a name, a description and genes, separated by tabs"
                )
            pairs.extend((field.split(",")[0].strip(), fields[0]) for field in fields[2:] if field.strip())
    return pd.DataFrame(pairs, columns=["gene", "term"])


def read_gaf(path, excluded_evidence):
    """Gene-term pairs of a Gene Association File (GO's own format, 2.0 to 2.2), negated annotations left out.

    Parameters
    ----------
    path : path
        `.gaf` or `.gaf.gz`.
    excluded_evidence : list of str
        Evidence codes to leave out, such as ``IMP`` (mutant phenotype: it may come from the screens themselves).
    """
    opener = gzip.open if str(path).endswith(".gz") else open
    pairs = []
    with opener(path, "rt") as handle:
        for number, line in enumerate(handle, start=1):
            if line.startswith("!") or not line.strip():
                continue
            fields = line.split("\t")
            if len(fields) < 15:
                raise InputError(f"{path}, line {number}: {len(fields)} columns; a GAF line has 15 or more")
            if "NOT" not in fields[3].split("|") and fields[6] not in excluded_evidence:
                pairs.append((fields[2], fields[4]))
    return pd.DataFrame(pairs, columns=["gene", "term"])


def read_gene_list(path):
    """Gene symbols of a text file, one per line; None for no path."""
    if not path:
        return None
    genes = [line.strip() for line in Path(path).read_text().splitlines() if line.strip()]
    if not genes:
        raise InputError(f"{path}: the list of genes is empty")
    return set(genes)

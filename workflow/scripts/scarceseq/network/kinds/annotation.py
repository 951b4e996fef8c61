"""Co-annotation graph: Jaccard similarity of two genes' sets of terms.

The construction of GEARS (Roohani et al. 2024, `make_GO`): keep pairs above a cut-off, then the
strongest sources per target. There, of equally similar sources the first ones stay, which makes hubs of the
genes at the beginning of the alphabet wherever hundreds share one term and no other; `ties: drawn` does not.
"""

from collections.abc import Mapping
from typing import Any

import numba
import numpy as np
import pandas as pd
from scipy import sparse

from scarceseq.errors import InputError
from scarceseq.network.gene_terms import read_annotation
from scarceseq.network.neighbours import read_gene_list, strongest_sources
from scarceseq.seeds import derive

INPUTS = ("table",)
KEYS = (
    "path",
    "gene_column",
    "term_column",
    "term_separator",
    "excluded_evidence",
    "taxon",
    "gene_names",
    "gene_id_column",
    "gene_name_column",
    "excluded_terms",
    "max_genes_per_term",
    "min_jaccard",
    "top_k",
    "ties",
)
TARGETS_PER_BLOCK = 500


def build(settings: Mapping[str, Any], inputs: Mapping[str, Any]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Edges of the co-annotation graph.

    Parameters
    ----------
    settings : dict
        excluded_terms, max_genes_per_term, min_jaccard, top_k, ties, seed, and what `read_annotation` needs.
    inputs : dict
        ``table``: gene-term table, GMT, GAF or gene2go file; ``names``: symbols of the latter's genes; optionally
        ``restriction``: list of genes to keep.

    Returns
    -------
    (pandas.DataFrame, dict)
        Edges (source, target, weight), and counts.
    """
    path = str(inputs["table"])
    pairs = read_annotation(path, settings, inputs.get("names"))
    named = (pairs["gene"] != "") & (pairs["term"] != "")
    unnamed = int((~named).sum())
    pairs = pairs[named].drop_duplicates()
    wanted = read_gene_list(inputs.get("restriction"))
    if wanted is not None:
        pairs = pairs[pairs["gene"].isin(wanted)]
    pairs = pairs[telling(pairs["term"], settings.get("excluded_terms", []), settings.get("max_genes_per_term"))]
    if pairs.empty:
        raise InputError(
            f"{path}: no gene-term pair is left; check the columns, the list of genes and what is left out of the terms"
        )
    seed = settings["seed"] if settings.get("ties") == "drawn" else None
    genes, edges = jaccard_edges(pairs, settings["min_jaccard"], settings["top_k"], seed)
    counts = {
        "annotated_genes": len(genes),
        "terms": int(pairs["term"].nunique()),
        "pairs": len(pairs),
        "pairs_without_name": unnamed,
    }
    return edges, counts


def telling(terms: pd.Series, excluded: list[str], most: int | None) -> pd.Series:
    """Which gene-term pairs are of terms that tell something about a gene.

    Parameters
    ----------
    terms : pandas.Series of str
        Of distinct pairs.
    excluded : list of str
    most : int or None
        Largest number of genes of a term.

    Returns
    -------
    pandas.Series of bool
    """
    kept = ~terms.isin(excluded)
    return kept if most is None else kept & (terms.map(terms.value_counts()) <= most)


def jaccard_edges(
    pairs: pd.DataFrame, min_jaccard: float, top_k: int, seed: int | None = None
) -> tuple[np.ndarray, pd.DataFrame]:
    """Edges between genes whose term sets overlap, |A and B| / |A or B| > `min_jaccard`.

    Parameters
    ----------
    pairs : pandas.DataFrame
        Distinct (gene, term) rows.
    min_jaccard : float
    top_k : int
        Sources kept per target.
    seed : int, optional
        For which of equally similar sources stay; the first by name without.

    Returns
    -------
    (numpy.ndarray of str, pandas.DataFrame)
        All genes, sorted; edges.
    """
    genes, gene = np.unique(pairs["gene"].to_numpy(dtype=str), return_inverse=True)
    terms, term = np.unique(pairs["term"].to_numpy(dtype=str), return_inverse=True)
    membership = sparse.csr_array((np.ones(len(pairs), np.float32), (gene, term)), shape=(len(genes), len(terms)))
    sizes = np.bincount(gene, minlength=len(genes))
    by_term = membership.T.tocsr()
    names = pd.util.hash_array(genes.astype(object), hash_key=f"{derive(seed or 0, 'ties'):016x}")
    kept = []
    for start in range(0, len(genes), TARGETS_PER_BLOCK):
        block = membership[start : start + TARGETS_PER_BLOCK]
        target, source, jaccard = similar_genes(
            block.indptr,
            block.indices,
            by_term.indptr,
            by_term.indices,
            sizes[start : start + len(block.indptr) - 1],
            sizes,
            min_jaccard,
        )
        target = target + start
        use = target != source
        target, source, jaccard = target[use], source[use], jaccard[use]
        tie = source if seed is None else drawn_order(names, target, source)
        best = strongest_sources(target, tie, jaccard, top_k)
        kept.append(
            pd.DataFrame({"source": genes[source[best]], "target": genes[target[best]], "weight": jaccard[best]})
        )
    return genes, pd.concat(kept, ignore_index=True)


def drawn_order(names: np.ndarray, target: np.ndarray, source: np.ndarray) -> np.ndarray:
    """A number for each pair by which equally similar sources of a target are ordered; it depends on the names alone.

    Parameters
    ----------
    names : numpy.ndarray of uint64
        A hash of each gene's name.
    target, source : numpy.ndarray of int

    Returns
    -------
    numpy.ndarray of uint64
    """
    # the last step of splitmix64 (Steele et al. 2014), so that no target's order resembles another's
    mixed = names[source] ^ (names[target] * np.uint64(0x9E3779B97F4A7C15))
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


@numba.njit(cache=True)
def similar_genes(
    term_starts: np.ndarray,
    terms: np.ndarray,
    gene_starts: np.ndarray,
    genes: np.ndarray,
    own_sizes: np.ndarray,
    sizes: np.ndarray,
    min_jaccard: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of a block of genes and all genes whose Jaccard similarity is above `min_jaccard`.

    Parameters
    ----------
    term_starts, terms : numpy.ndarray of int
        Terms of each gene of the block, as rows of a CSR matrix.
    gene_starts, genes : numpy.ndarray of int
        Genes of each term, as rows of a CSR matrix.
    own_sizes, sizes : numpy.ndarray of int
        Number of terms of each gene of the block, and of all genes.
    min_jaccard : float

    Returns
    -------
    (list of int, list of int, list of float), as arrays
        Gene in the block, other gene (rising), similarity.
    """
    shared = np.zeros(len(sizes), np.int64)
    rows, others, similarity = [], [], []
    for row in range(len(own_sizes)):
        shared[:] = 0
        for at in range(term_starts[row], term_starts[row + 1]):
            for member in range(gene_starts[terms[at]], gene_starts[terms[at] + 1]):
                shared[genes[member]] += 1
        for other in range(len(sizes)):
            both = shared[other]
            if both > 0:
                jaccard = both / (own_sizes[row] + sizes[other] - both)
                if jaccard > min_jaccard:
                    rows.append(row)
                    others.append(other)
                    similarity.append(jaccard)
    return np.array(rows), np.array(others), np.array(similarity)

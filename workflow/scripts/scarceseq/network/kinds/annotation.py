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
from scarceseq.network.neighbours import read_gene_list, strongest_edges
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
    """Edges of the co-annotation graph; the file ``names`` has the symbols of gene2go's genes."""
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
    """Which of distinct gene-term pairs are of terms that tell something: not excluded, of `most` genes at most."""
    kept = ~terms.isin(excluded)
    return kept if most is None else kept & (terms.map(terms.value_counts()) <= most)


def jaccard_edges(
    pairs: pd.DataFrame, min_jaccard: float, top_k: int, seed: int | None = None
) -> tuple[np.ndarray, pd.DataFrame]:
    """All genes, sorted, and edges between those whose term sets overlap, |A and B| / |A or B| > `min_jaccard`.

    `pairs` are distinct (gene, term) rows; each target keeps `top_k` sources. `seed` decides which of equally similar
    sources stay; the first by name without.
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
        terms_of, genes_of = (block.indptr, block.indices), (by_term.indptr, by_term.indices)
        block_sizes = sizes[start : start + TARGETS_PER_BLOCK]
        target, source, jaccard = similar_genes(*terms_of, *genes_of, block_sizes, sizes, min_jaccard)
        use = target + start != source
        target, source, jaccard = target[use] + start, source[use], jaccard[use]
        tie = source if seed is None else drawn_order(names, target, source)
        kept.append(strongest_edges(genes, target, source, jaccard, tie, top_k))
    return genes, pd.concat(kept, ignore_index=True)


def drawn_order(names: np.ndarray, target: np.ndarray, source: np.ndarray) -> np.ndarray:
    """A number for each pair by which equally similar sources of a target are ordered; it depends on the names alone.

    `names`, uint64, are a hash of each gene's name.
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
    block_sizes: np.ndarray,
    sizes: np.ndarray,
    min_jaccard: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of a block of genes and all genes whose Jaccard similarity is above `min_jaccard`.

    The terms of each gene of the block, and the genes of each term, are rows of CSR matrices; `block_sizes` and `sizes`
    are the number of terms of each gene of the block, and of all. Gives gene in the block, other gene (rising),
    similarity.
    """
    shared = np.zeros(len(sizes), np.int64)
    rows, others, similarity = [], [], []
    for row in range(len(block_sizes)):
        shared[:] = 0
        for at in range(term_starts[row], term_starts[row + 1]):
            for member in range(gene_starts[terms[at]], gene_starts[terms[at] + 1]):
                shared[genes[member]] += 1
        for other in range(len(sizes)):
            both = shared[other]
            if both > 0:
                jaccard = both / (block_sizes[row] + sizes[other] - both)
                if jaccard > min_jaccard:
                    rows.append(row)
                    others.append(other)
                    similarity.append(jaccard)
    return np.array(rows), np.array(others), np.array(similarity)

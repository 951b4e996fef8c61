"""Co-annotation graph: Jaccard similarity of two genes' sets of terms.

The construction of GEARS (Roohani et al. 2024, `make_GO`): keep pairs above a cut-off, then the
strongest sources per target.
"""

import numba
import numpy as np
import pandas as pd
from scipy import sparse

from scarceseq.errors import InputError
from scarceseq.network.annotations import read_annotation
from scarceseq.network.neighbours import read_gene_list, strongest_sources

INPUTS = ("table",)
KEYS = (
    "path",
    "gene_column",
    "term_column",
    "excluded_evidence",
    "taxon",
    "gene_names",
    "gene_id_column",
    "gene_name_column",
    "min_jaccard",
    "top_k",
)
TARGETS_PER_BLOCK = 500


def build(settings, inputs):
    """Edges of the co-annotation graph.

    Parameters
    ----------
    settings : dict
        min_jaccard, top_k, and what `read_annotation` needs.
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
    if pairs.empty:
        raise InputError(f"{path}: no gene-term pair is left; check the columns and the list of genes")
    genes, edges = jaccard_edges(pairs, settings["min_jaccard"], settings["top_k"])
    counts = {
        "annotated_genes": len(genes),
        "terms": int(pairs["term"].nunique()),
        "pairs": len(pairs),
        "pairs_without_name": unnamed,
    }
    return edges, counts


def jaccard_edges(pairs, min_jaccard, top_k):
    """Edges between genes whose term sets overlap, |A and B| / |A or B| > `min_jaccard`.

    Parameters
    ----------
    pairs : pandas.DataFrame
        Distinct (gene, term) rows.
    min_jaccard : float
    top_k : int
        Sources kept per target.

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
    kept = []
    for start in range(0, len(genes), TARGETS_PER_BLOCK):
        own = membership[start : start + TARGETS_PER_BLOCK]
        target, source, jaccard = similar_genes(
            own.indptr,
            own.indices,
            by_term.indptr,
            by_term.indices,
            sizes[start : start + len(own.indptr) - 1],
            sizes,
            min_jaccard,
        )
        target = target + start
        use = target != source
        target, source, jaccard = target[use], source[use], jaccard[use]
        best = strongest_sources(target, source, jaccard, top_k)
        kept.append(
            pd.DataFrame({"source": genes[source[best]], "target": genes[target[best]], "weight": jaccard[best]})
        )
    return genes, pd.concat(kept, ignore_index=True)


@numba.njit(cache=True)
def similar_genes(term_starts, terms, gene_starts, genes, own_sizes, sizes, min_jaccard):
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

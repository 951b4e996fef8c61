"""Co-annotation graph: Jaccard similarity of two genes' sets of terms.

The construction of GEARS (Roohani et al. 2024, `make_GO`): keep pairs above a cut-off, then the
strongest sources per target.
"""

import numpy as np
import pandas as pd
from scipy import sparse

from scarceseq.errors import InputError
from scarceseq.network.neighbours import read_columns, read_gene_list, read_gene_sets, strongest_sources

INPUTS = ("table",)
KEYS = ("path", "gene_column", "term_column", "min_jaccard", "top_k")
TARGETS_PER_BLOCK = 500


def build(settings, inputs):
    """Edges of the co-annotation graph.

    Parameters
    ----------
    settings : dict
        gene_column, term_column (ignored for GMT), min_jaccard, top_k.
    inputs : dict
        ``table``: gene-term table or GMT file; optionally ``restriction``: list of genes to keep.

    Returns
    -------
    (pandas.DataFrame, dict)
        Edges (source, target, weight), and counts.
    """
    path = str(inputs["table"])
    if path.removesuffix(".gz").endswith(".gmt"):
        pairs = read_gene_sets(path)
    else:
        pairs = read_columns(path, [settings["gene_column"], settings["term_column"]])
        pairs.columns = ["gene", "term"]
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
    sizes = np.bincount(gene, minlength=len(genes)).astype(float)
    by_term = membership.T.tocsr()
    kept = []
    for start in range(0, len(genes), TARGETS_PER_BLOCK):
        shared = (membership[start : start + TARGETS_PER_BLOCK] @ by_term).tocoo()
        target, source = shared.row + start, shared.col
        both = shared.data.astype(float)
        jaccard = both / (sizes[target] + sizes[source] - both)
        use = (jaccard > min_jaccard) & (target != source)
        target, source, jaccard = target[use], source[use], jaccard[use]
        best = strongest_sources(target, source, jaccard, top_k)
        kept.append(
            pd.DataFrame({"source": genes[source[best]], "target": genes[target[best]], "weight": jaccard[best]})
        )
    return genes, pd.concat(kept, ignore_index=True)

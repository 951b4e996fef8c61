"""Samples x genes counts on disk, in one form for archive batches, user studies and the corpus."""

import anndata

from scarceseq.files import atomic

# What is known of each sample, whatever it comes from.
SAMPLE_COLUMNS = ["study", "organism", "source", "unit", "runs", "auc", "mapped_reads", "average_mapped_length"]
GENE_COLUMNS = ["gene_name", "gene_type", "bp_length", "measured"]
DROPPED_COLUMNS = ["study", "run", "reason", "value"]


def write_counts(counts, samples, genes, path):
    """Write an ``.h5ad`` of exact counts.

    Parameters
    ----------
    counts : numpy.ndarray
        int64, (samples, genes).
    samples : pandas.DataFrame
        Index: sample.
    genes : pandas.DataFrame
        Index: versioned gene id.
    path : path
    """
    table = anndata.AnnData(counts, obs=_categories(samples), var=_categories(genes))
    with atomic(path) as temporary:
        table.write_h5ad(temporary, compression="gzip", compression_opts=1)


def _categories(table):
    return table.astype(dict.fromkeys(table.select_dtypes("object").columns, "category"))


def read_counts(path):
    """What `write_counts` wrote, as `anndata.AnnData`."""
    return anndata.read_h5ad(path)

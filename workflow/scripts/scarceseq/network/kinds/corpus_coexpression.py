"""Co-expression graph from the bulk corpus: genes that move together within studies.

Only studies of the pretrain and scout roles of one split are read, so no test study can shape the graph.
"""

import logging
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from scarceseq.corpus.transform import measured_or_mean
from scarceseq.errors import InputError
from scarceseq.files import read_table
from scarceseq.network.neighbours import read_gene_list, strongest_edges
from scarceseq.seals import load_rows
from scarceseq.seeds import derive

INPUTS = ("training", "genes", "samples", "splits")
KEYS = ("split", "min_correlation", "top_k")
ROLES = ("pretrain", "scout")
TARGETS_PER_BLOCK = 500
# Of more samples so many are read: 22,000 genes of them take 4 GB, and a correlation is known to a hundredth.
MOST_SAMPLES = 10_000

logger = logging.getLogger(__name__)


def build(settings: Mapping[str, Any], inputs: Mapping[str, Any]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Edges between genes with |Pearson correlation|, their weight, above a cut-off; ``training`` is log2(TPM + 1)."""
    within, symbols, counts = read_within_studies(settings["split"], inputs)
    edges = correlation_edges(within, symbols, settings["min_correlation"], settings["top_k"])
    return edges, counts


def read_within_studies(split: str, inputs: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Expression of genes with a symbol around the mean of each study, from pretrain and scout studies alone.

    The files are those of the kind. Gives values, (samples, genes), symbols, and counts.
    """
    expression = load_rows(inputs["training"])
    genes, samples = read_table(inputs["genes"]), read_table(inputs["samples"])
    if expression.shape != (len(samples), len(genes)):
        raise InputError(
            f"{inputs['training']}: shape {expression.shape} does not fit {len(samples)} samples x {len(genes)} genes; "
            "rerun merge_corpus"
        )
    used = np.flatnonzero(samples["study"].isin(studies_to_use(read_table(inputs["splits"]), split)))
    drawn = by_turns(samples.iloc[used], MOST_SAMPLES)
    values = measured_or_mean(np.asarray(expression[used[drawn]], dtype=np.float32))
    within = within_study(values, samples["study"].to_numpy()[used[drawn]])
    mean, wanted = values.mean(axis=0), read_gene_list(inputs.get("restriction"))
    columns = one_column_per_symbol(genes["gene_name"], mean, within.std(axis=0), wanted)
    symbols = genes["gene_name"].to_numpy(dtype=str)[columns]
    studies = samples["study"].iloc[used[drawn]].nunique()
    counts = {"samples": len(drawn), "studies": int(studies), "genes": len(columns)}
    if len(drawn) < len(used):
        counts["drawn_of_samples"] = len(used)
        logger.info("%d of %d samples were drawn, by turns from each study", len(drawn), len(used))
    return within[:, columns], symbols, counts


def by_turns(samples: pd.DataFrame, most: int) -> np.ndarray:
    """Places of at most so many samples (columns sample, study), by turns from each study in the order of a hash."""
    if len(samples) <= most:
        return np.arange(len(samples))
    order = np.argsort([derive(0, "co-expression", name) for name in samples["sample"]], kind="stable")
    turns = samples["study"].iloc[order].groupby(samples["study"].iloc[order].to_numpy()).cumcount().to_numpy()
    return np.sort(order[np.argsort(turns, kind="stable")[:most]])


def studies_to_use(splits: pd.DataFrame, split: str) -> set[str]:
    """Studies of the roles pretrain and scout in one split."""
    rows = splits[(splits["split"] == split) & splits["role"].isin(ROLES)]
    if rows.empty:
        raise InputError(
            f"split '{split}': it has no study of the roles {' or '.join(ROLES)}; check the key corpus.splits"
        )
    return set(rows["study"])


def within_study(expression: np.ndarray, studies: ArrayLike) -> np.ndarray:
    """Expression minus the mean of the sample's study, so that batches do not make genes look co-expressed."""
    centred = expression.copy()
    for study in np.unique(studies.astype(str)):
        rows = np.flatnonzero(studies == study)
        centred[rows] -= centred[rows].mean(axis=0)
    if len(centred) < 4:
        raise InputError(
            f"co-expression needs at least 4 samples in the pretrain and scout studies, there are {len(centred)}"
        )
    return centred


def one_column_per_symbol(
    names: pd.Series, mean: np.ndarray, deviation: np.ndarray, wanted: Collection[str] | None
) -> np.ndarray:
    """Columns to use: genes that vary, and of several with one symbol the most expressed; in the order of symbols."""
    table = pd.DataFrame({"symbol": names.astype(str).to_numpy(), "mean": mean, "column": np.arange(len(names))})
    usable = (deviation > 1e-6) & names.notna().to_numpy() & (table["symbol"] != "").to_numpy()
    if wanted is not None:
        usable &= table["symbol"].isin(wanted).to_numpy()
    table = table[usable].sort_values(["symbol", "mean", "column"], ascending=[True, False, True])
    columns = table.drop_duplicates("symbol")["column"].to_numpy()
    if len(columns) < 2:
        raise InputError(
            f"co-expression: {len(columns)} gene(s) with a symbol vary within the studies; check the gene list"
        )
    return columns


def correlation_edges(within: np.ndarray, symbols: np.ndarray, min_correlation: float, top_k: int) -> pd.DataFrame:
    """Edges from a samples x genes matrix without study means.

    Weights are rounded to six decimals, so that the last bit of the arithmetic decides nothing.
    """
    scaled = within - within.mean(axis=0)
    scaled /= np.linalg.norm(scaled, axis=0)
    kept = []
    for start in range(0, len(symbols), TARGETS_PER_BLOCK):
        correlation = np.abs(scaled[:, start : start + TARGETS_PER_BLOCK].T @ scaled).astype(float).round(6)
        target, source = np.nonzero(correlation > min_correlation)
        weight = np.minimum(correlation[target, source], 1.0)
        use = target + start != source
        target, source, weight = target[use] + start, source[use], weight[use]
        kept.append(strongest_edges(symbols, target, source, weight, source, top_k))
    return pd.concat(kept, ignore_index=True)

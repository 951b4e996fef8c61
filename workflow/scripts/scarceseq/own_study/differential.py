"""Which genes differ between the classes of a study: an empirical-Bayes moderated test on log counts per million."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import special, stats

from scarceseq.errors import InputError

LEAST_COUNT, LEAST_TOTAL = 10, 15
COLUMNS = ["gene_id", "gene_name", "log2_fold_change", "statistic", "p_value", "adjusted_p_value", "rank"]
COLUMNS += ["highest_in", "log2_sd"]


def differential_genes(
    counts: np.ndarray, genes: Sequence[str], names: Sequence[str], samples: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, object]]:
    """Moderated test of each gene between the classes, and a summary of it.

    `counts` are reads, (genes, samples); `genes` is what the table calls each gene, `names` its symbol; `samples` has
    the columns label, group, and a row for each column of `counts`.

    The table has `COLUMNS` and a mean of each class (log2 counts per million), most differential first. Two classes:
    the fold change is of the second, by name, against the first. More: of the highest class against the mean of the
    others, and the statistic is F. log2_sd is the moderated deviation between samples of one class. The summary:
    classes, samples, genes, tested, blocked (whether groups are in the design), summed (groups whose samples were added
    up), differential (genes of adjusted p below 0.05), prior_freedom. Raises InputError if no class has a second sample
    to tell the noise from.
    """
    counts, samples, summed = sum_of_groups(counts, samples)
    classes = sorted(samples["label"].unique())
    blocked = bool((samples.groupby("group")["label"].nunique() > 1).any())
    design = design_matrix(samples, classes, blocked)
    if blocked and len(samples) <= np.linalg.matrix_rank(design):
        blocked, design = False, design_matrix(samples, classes, False)
    if len(samples) <= np.linalg.matrix_rank(design):
        raise InputError("differential genes: no class has a second sample (or group) to tell the noise from")
    kept = expressed(counts, samples["label"].to_numpy())
    values = log_cpm(counts)[kept]
    fitted = moderated(values, design, list(range(1, len(classes))))
    means = np.stack([values[:, samples["label"].to_numpy() == name].mean(axis=1) for name in classes], axis=1)
    highest = means.argmax(axis=1)
    if len(classes) == 2:
        change = fitted["coefficient"][:, 0]
    else:
        top = means[np.arange(len(means)), highest]
        change = top - (means.sum(axis=1) - top) / (len(classes) - 1)
    table = pd.DataFrame({"gene_id": np.asarray(genes)[kept], "gene_name": np.asarray(names)[kept]})
    table = table.assign(log2_fold_change=change, statistic=fitted["statistic"], p_value=fitted["p_value"])
    table["adjusted_p_value"] = stats.false_discovery_control(fitted["p_value"])
    table["highest_in"] = np.asarray(classes)[highest]
    table["log2_sd"] = np.sqrt(fitted["variance"])
    table = table.join(pd.DataFrame(means, columns=[f"mean_{name}" for name in classes]))
    order = np.lexsort((table["gene_id"], -np.abs(fitted["statistic"]), fitted["p_value"]))
    table = table.iloc[order].reset_index(drop=True)
    table.insert(6, "rank", np.arange(1, len(table) + 1))
    summary = {"classes": classes, "samples": len(samples), "genes": len(counts), "tested": int(kept.sum())}
    summary |= {"blocked": blocked, "summed": summed, "prior_freedom": fitted["prior_freedom"]}
    return table, summary | {"differential": int((table["adjusted_p_value"] < 0.05).sum())}


def sum_of_groups(counts: np.ndarray, samples: pd.DataFrame) -> tuple[np.ndarray, pd.DataFrame, int]:
    """Samples of one group and class added up, since they are no repeats; how many groups that changed."""
    keys = list(zip(samples["group"].astype(str), samples["label"].astype(str), strict=True))
    codes, distinct = pd.factorize(pd.Series(keys))
    summed = np.zeros((len(counts), len(distinct)))
    np.add.at(summed.T, codes, counts.T)
    table = pd.DataFrame(list(distinct), columns=["group", "label"])
    return summed, table, int((np.bincount(codes) > 1).sum())


def design_matrix(samples: pd.DataFrame, classes: list[str], blocked: bool) -> np.ndarray:
    """Intercept, each class but the first, and each group but the first if they are blocks; (samples, columns)."""
    columns = [np.ones(len(samples))]
    columns += [(samples["label"] == name).to_numpy(float) for name in classes[1:]]
    if blocked:
        columns += [(samples["group"] == name).to_numpy(float) for name in sorted(samples["group"].unique())[1:]]
    return np.column_stack(columns)


def expressed(counts: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Genes with enough reads to be tested: 10 at the median depth in as many samples as the smallest class, 15 in all.

    As edgeR's filterByExpr does, for classes of up to ten samples.
    """
    depth = counts.sum(axis=0)
    least = LEAST_COUNT / np.median(depth) * 1e6
    smallest = min(pd.Series(labels).value_counts().min(), 10)
    enough = (counts / depth * 1e6 >= least).sum(axis=1) >= smallest
    return enough & (counts.sum(axis=1) >= LEAST_TOTAL)


def log_cpm(counts: np.ndarray) -> np.ndarray:
    """log2 of counts per million, half a read added (Law et al. 2014)."""
    return np.log2((counts + 0.5) / (counts.sum(axis=0) + 1) * 1e6)


def moderated(values: np.ndarray, design: np.ndarray, tested: list[int]) -> dict[str, Any]:
    """Least squares, and t or F statistics whose variances are drawn towards a common one (Smyth 2004, limma).

    `values` are (genes, samples), `design` (samples, columns); with one `tested` column the statistic is t, with
    several F. Gives coefficient (genes, tested), statistic, p_value, variance (genes,), prior_freedom, prior_variance.
    """
    rank = np.linalg.matrix_rank(design)
    inverse = np.linalg.pinv(design.T @ design)
    coefficients = values @ design @ inverse
    freedom = len(design) - rank
    variance = ((values - coefficients @ design.T) ** 2).sum(axis=1) / freedom
    prior_freedom, prior_variance = variance_prior(variance, freedom)
    if np.isinf(prior_freedom):
        posterior = np.full(len(variance), prior_variance)
    else:
        posterior = (prior_freedom * prior_variance + freedom * variance) / (prior_freedom + freedom)
    total = min(freedom + prior_freedom, freedom * len(variance))
    coefficients = coefficients[:, tested]
    if len(tested) == 1:
        statistic = coefficients[:, 0] / np.sqrt(posterior * inverse[tested[0], tested[0]])
        p_value = 2 * stats.t.sf(np.abs(statistic), total)
    else:
        weights = np.linalg.inv(inverse[np.ix_(tested, tested)])
        statistic = np.einsum("gi,ij,gj->g", coefficients, weights, coefficients) / len(tested) / posterior
        p_value = stats.f.sf(statistic, len(tested), total)
    result = {"coefficient": coefficients, "statistic": statistic, "p_value": p_value, "variance": posterior}
    return result | {"prior_freedom": float(prior_freedom), "prior_variance": float(prior_variance)}


def variance_prior(variance: np.ndarray, freedom: int) -> tuple[float, float]:
    """Degrees of freedom and location of the scaled inverse chi-square that the variances are drawn from.

    By the moments of their logarithms (Smyth 2004, section 6.2); infinite freedom where they vary no more than
    chi-square lets them.
    """
    usual = np.median(variance[variance > 0]) if (variance > 0).any() else 1.0
    logs = np.log(np.maximum(variance, 1e-5 * usual)) - special.digamma(freedom / 2) + np.log(freedom / 2)
    spread = logs.var(ddof=1) - special.polygamma(1, freedom / 2)
    if spread <= 0:
        return np.inf, float(np.exp(logs.mean()))
    prior = 2 * inverse_trigamma(float(spread))
    return prior, float(np.exp(logs.mean() + special.digamma(prior / 2) - np.log(prior / 2)))


def inverse_trigamma(value: float) -> float:
    """The x of which the trigamma function is `value`, by Newton's method on its reciprocal (Smyth 2004, appendix)."""
    x = 0.5 + 1 / value
    for _ in range(50):
        trigamma = special.polygamma(1, x)
        step = trigamma * (1 - trigamma / value) / special.polygamma(2, x)
        x += step
        if -step / x < 1e-10:
            break
    return float(x)

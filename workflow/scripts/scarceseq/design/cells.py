"""How many cells a perturbation needs: power, and reliability of a mean profile, from a pilot or a screen at hand.

Expression is log(1 + counts per 10,000) where a screen gives the numbers, and counts where a pilot does. Differences of
means are taken for normal, with the variance of one cell divided by the number of cells (control cells likewise), and,
where guides differ, the variance between guides divided by their number.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from scarceseq.errors import InputError
from scarceseq.statistics.power import level_of_p

ROUNDS = 100
DETECTED = 0.05
"""Share of control cells that must have a gene for it to be a readout: sums of squares of rarer ones are far from the
chi-square that they are taken for (docs/benchmark/planner.md)."""
QUANTILES = 200
LEAST_DISPERSION = 1e-4


@dataclass(frozen=True)
class Numbers:
    """What a pilot tells.

    - `effect` (genes,): difference that the fold change of interest makes in each readout gene
    - `variance`, `control_variance` (genes,): of a cell that has the effect, and of a control cell, in its square
    - `independent`: number of independent genes among the readout genes: (sum of l)^2 / sum of l^2, with l the
      eigenvalues of their correlation between control cells (Satterthwaite 1946)
    - `signal`: variance of true effects between perturbations, mean over genes; NaN if not known
    - `noise`: variance of one cell, mean over genes
    """

    effect: np.ndarray
    variance: np.ndarray
    control_variance: np.ndarray
    independent: float
    signal: float
    noise: float


def numbers_of_pilot(mean: np.ndarray, dispersion: np.ndarray, log2_fold_change: float, depth: float = 1.0) -> Numbers:
    """Numbers of genes with negative binomial counts.

    The log of a mean of counts of mean m and dispersion d has variance (1 / m + d) / cells (Zhu & Lakkis 2014,
    Statistics in Medicine 33).

    - `mean`, `dispersion` (genes,): counts of a cell at the pilot's depth
    - `depth`: planned reads of a cell over those of the pilot; means grow in proportion, which holds below saturation
    """
    mean, effect = mean * depth, log2_fold_change * np.log(2)
    variance, control = 1 / (mean * np.exp(effect)) + dispersion, 1 / mean + dispersion
    return Numbers(np.full(len(mean), effect), variance, control, float(len(mean)), np.nan, float(variance.mean()))


def numbers_of_screen(
    control: np.ndarray, delta: np.ndarray, cells: np.ndarray, noise: np.ndarray, log2_fold_change: float
) -> Numbers:
    """Numbers of a screen at hand.

    - `control` (control cells, genes): log(1 + counts per 10,000)
    - `delta` (perturbations, genes): mean differences to control
    - `cells` (perturbations,)
    - `noise` (genes,): variance of a cell within perturbations
    """
    shown = readout_genes(control)
    control, delta, noise = control[:, shown], delta[:, shown], noise[shown]
    variance = control.var(axis=0, ddof=1)
    effect, growth = fold_change_in_logs(control, log2_fold_change)
    independent = len(shown) ** 2 / (np.corrcoef(control.T) ** 2).sum()
    between = delta.var(axis=0, ddof=1).mean()
    # What the finite number of cells adds; control cells are shared, and add nothing between perturbations.
    signal = max(float(between - noise.mean() * (1 / cells).mean()), 0.0)
    changed = np.maximum(noise, growth * variance)
    return Numbers(effect, changed, variance, float(independent), signal, float(noise.mean()))


def readout_genes(control: np.ndarray) -> np.ndarray:
    """Positions of the genes that enough control cells have and that vary among them; (cells, genes) of logarithms.

    Raises `InputError` if there are fewer than two.
    """
    shown = np.flatnonzero(((control > 0).mean(axis=0) >= DETECTED) & (control.var(axis=0) > 0))
    if len(shown) < 2:
        raise InputError(f"design.cells.screen: {len(shown)} genes are in {DETECTED:.0%} of the control cells or more")
    return shown


def fold_change_in_logs(control: np.ndarray, log2_fold_change: float) -> tuple[np.ndarray, np.ndarray]:
    """What a fold change of a gene's counts does to the mean of log(1 + counts per 10,000), and to its variance.

    Counts are taken for negative binomial (mean and dispersion by moments) in a cell of median depth, whose single
    count is the median over cells of their smallest value. The log of the mean is not the mean of the logs: by that
    alone the effect on genes that most cells have came out at two thirds of the true one.

    - `control` (control cells, genes): log(1 + counts per 10,000)

    Returns the difference of means, and the factor of the variance, of each gene.
    """
    scaled = np.expm1(control)
    single = float(np.median(np.where(scaled > 0, scaled, np.inf).min(axis=1)[(scaled > 0).any(axis=1)]))
    counts = scaled / single
    mean = counts.mean(axis=0)
    dispersion = np.maximum((counts.var(axis=0, ddof=1) - mean) / mean**2, LEAST_DISPERSION)
    (before, spread), (after, spread_after) = (
        _moments_of_logs(level, dispersion, single) for level in (mean, mean * 2**log2_fold_change)
    )
    return after - before, spread_after / np.maximum(spread, 1e-12)


def _moments_of_logs(mean: np.ndarray, dispersion: np.ndarray, single: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of log(1 + single x count), by the middles of equal shares of the counts' distribution."""
    shares = (np.arange(QUANTILES) + 0.5)[:, None] / QUANTILES
    count = stats.nbinom.ppf(shares, 1 / dispersion, 1 / (1 + dispersion * mean))
    logs = np.log1p(single * count)
    return logs.mean(axis=0), logs.var(axis=0)


def standard_errors(
    numbers: Numbers, cells: int, controls: int, guides: int, guide_variance: float, changed: bool = True
) -> np.ndarray:
    """Standard error of each gene's difference to control, if it has the effect or if it has none."""
    variance = numbers.variance if changed else numbers.control_variance
    return np.sqrt(variance / cells + numbers.control_variance / controls + guide_variance / guides)


def power_of_genes(
    numbers: Numbers, errors: np.ndarray, share: float, false_discovery: float
) -> tuple[np.ndarray, float]:
    """Power to call each gene at a false discovery rate, and the threshold of p that this means.

    Power and threshold depend on each other; they are iterated from full power, and fall together to the largest
    solution.

    - `errors` (genes,): from `standard_errors`, of genes that have the effect
    - `share`: of the readout genes, how many truly differ
    """
    shift, power, level = np.abs(numbers.effect) / errors, np.ones(len(errors)), 1.0
    for _ in range(ROUNDS):
        level = min(level_of_p(power, share, false_discovery), 1.0)
        critical = stats.norm.isf(level / 2)
        power = stats.norm.sf(critical - shift) + stats.norm.cdf(-critical - shift)
    return power, level


def power_of_perturbation(numbers: Numbers, errors: np.ndarray, changed: int, level: float) -> float:
    """Power to tell a perturbation from control, by the sum of squared z over all genes.

    The sum over correlated genes is taken for a multiple of a chi-square of `independent` degrees, non-central by the
    changed genes (Satterthwaite 1946; Box 1954).

    - `errors` (genes,): from `standard_errors`, of genes without an effect, as almost all are
    - `changed`: genes that the perturbation changes by the fold change of interest; of typical precision
    - `level`: threshold of p
    """
    genes, freedom = len(errors), numbers.independent
    squared = changed * float(np.median((numbers.effect / errors) ** 2))
    # The sum has mean `genes`; a chi-square of `freedom` is stretched to it, and its shift with it.
    return float(stats.ncx2.sf(stats.chi2.isf(level, freedom), freedom, squared * freedom / genes))


def reliability(numbers: Numbers, cells: float, controls: float = np.inf) -> float:
    """Correlation squared of a mean profile with the true one: signal over signal and noise (Spearman-Brown)."""
    return numbers.signal / (numbers.signal + numbers.noise * (1 / cells + 1 / controls))


def cells_table(numbers: Numbers, settings: dict) -> pd.DataFrame:
    """What each number of cells gives; `settings` are the config's section ``design.cells``.

    Returns columns cells, median_power (of a readout gene that changes), well_powered_share (of genes with a power of
    0.8), p_threshold, perturbation_power, reliability.
    """
    share = settings["changed_genes"] / len(numbers.effect)
    if share >= 1:
        raise InputError(
            f"config key design.cells.changed_genes: {settings['changed_genes']} of {len(numbers.effect)} readout genes"
        )
    rows = []
    for cells in settings["cells"]:
        about = settings["control_cells"], settings["guides"], settings["guide_variance"]
        errors, unchanged = (standard_errors(numbers, cells, *about, changed=changed) for changed in (True, False))
        power, level = power_of_genes(numbers, errors, share, settings["false_discovery"])
        whole = power_of_perturbation(numbers, unchanged, settings["changed_genes"], settings["level"])
        shares = float(np.median(power)), float((power >= 0.8).mean())
        rows.append((cells, *shares, level, whole, reliability(numbers, cells, settings["control_cells"])))
    columns = ["cells", "median_power", "well_powered_share", "p_threshold", "perturbation_power", "reliability"]
    return pd.DataFrame(rows, columns=columns)

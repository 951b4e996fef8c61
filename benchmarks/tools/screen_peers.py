"""Differential tests of a normalised screen: this package beside pdex and crispyx, for `benchmarks/screen.py`.

All read the same cells from the same file, on one thread, and test every perturbation against the control cells.
Before the clock runs, each has done a screen of a few cells, so that compiling does not count. They take turns.
Absolute scores are compared gene by gene, where the peer tested the gene.
"""

import tempfile
import time
from pathlib import Path

import anndata
import h5py
import numpy as np
from scarceseq.screen.groups import Groups
from scarceseq.screen.pseudobulk import mean_and_variance, tester
from scipy import stats

LABEL, CONTROL = "perturbation", "control"
UNFILTERED = {"min_pct_ctrl": 0.0, "min_pct_pert": 0.0, "min_mean_ctrl": 0.0, "min_mean_pert": 0.0}
LARGEST_DIFFERENCE = 1e-3
"""Of scores, over one plus the score: crispyx computes in single precision, pdex gives p values."""
ROUNDS = 3


def ours(path, kind):
    """Absolute scores by perturbation, (genes,) each."""
    with Groups(path) as groups:
        test = tester(groups.read(CONTROL), kind)
        read = ((name, groups.read(name)) for name in groups.names)
        return {name: np.abs(test(cells, *mean_and_variance(cells))[0]) for name, cells in read}


def by_pdex(path, _kind):
    """The same by pdex, which has the rank sum alone.

    It corrects for continuity, |U - n m / 2| - 1/2; this is taken back. NaN where p values are too small or too near to
    one to tell the score.
    """
    from pdex import pdex

    cells = anndata.read_h5ad(path)
    sizes = cells.obs[LABEL].value_counts()
    table = pdex(cells, LABEL, reference=CONTROL, threads=1, is_log1p=True, as_pandas=True)
    found = {}
    for name, rows in table.groupby("target", sort=False):
        p_value = rows["p_value"].to_numpy(dtype=float)
        away = np.abs(rows["statistic"].to_numpy(dtype=float) - sizes[CONTROL] * sizes[name] / 2)
        told = (p_value > 1e-200) & (p_value < 0.99) & (away > 0.5)
        score = np.full(len(rows), np.nan)
        score[told] = stats.norm.isf(p_value[told] / 2) * away[told] / (away[told] - 0.5)
        found[str(name)] = score
    return found


def by_crispyx(path, kind):
    """The same by crispyx; NaN for a gene that it does not test."""
    from crispyx.de import t_test, wilcoxon_test

    run, more = (t_test, {"n_jobs": 1}) if kind == "t_test" else (wilcoxon_test, {})
    with tempfile.TemporaryDirectory() as folder:
        more |= {"output_path": Path(folder) / "out.h5ad", "verbose": False, "force": True}
        result = run(str(path), perturbation_column=LABEL, control_label=CONTROL, **UNFILTERED, **more)
        return {name: np.abs(np.asarray(result[name].statistic, dtype=float)) for name in result}


PEERS = {("wilcoxon", "pdex"): by_pdex, ("wilcoxon", "crispyx"): by_crispyx, ("t_test", "crispyx"): by_crispyx}


def race(path, small):
    """Seconds of each test by each, and the largest difference of scores to ours.

    Parameters
    ----------
    path : path
        From `normalise_cells`.
    small : path
        The same of few cells.
    """
    for file in (path, small):
        with h5py.File(file, "r+") as handle:
            handle.pop("raw", None)  # crispyx 0.2.2 fails on the empty one that anndata writes
    rows = []
    for kind in ("wilcoxon", "t_test"):
        runners = {"scarceseq": ours} | {name: peer for (of, name), peer in PEERS.items() if of == kind}
        for runner in runners.values():
            runner(small, kind)
        seconds: dict[str, list[float]] = {name: [] for name in runners}
        scores = {}
        for _ in range(ROUNDS):
            for name, runner in runners.items():
                begin = time.perf_counter()
                scores[name] = runner(path, kind)
                seconds[name].append(time.perf_counter() - begin)
        rows += [row_of(kind, name, scores, seconds) for name in runners]
    return rows


def row_of(kind, name, scores, seconds):
    """Seconds of each round, and how far the scores are from ours where there are any."""
    row = {"test": kind, "by": name, "seconds": seconds[name]}
    if name == "scarceseq":
        return row
    expected = scores["scarceseq"]
    ratios = [theirs / mine for theirs, mine in zip(seconds[name], seconds["scarceseq"], strict=True)]
    apart = [np.nanmax(np.abs(scores[name][each] - expected[each]) / (1 + expected[each])) for each in expected]
    compared = np.mean([np.isfinite(scores[name][each]).mean() for each in expected])
    row |= {"ratio": float(np.median(ratios)), "ratio_low": min(ratios), "ratio_high": max(ratios)}
    return row | {"largest_difference": float(max(apart)), "compared_share": float(compared)}

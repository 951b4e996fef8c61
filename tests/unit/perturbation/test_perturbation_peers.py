"""Each metric is that of the peer that has it: cell-gears 0.1.2, cell-eval 0.8.2, scikit-learn. `make .venv/peers`.

Neither peer leaves the perturbed gene out, but for cell-eval's discrimination score, so that here it counts elsewhere.
"""

import anndata
import numpy as np
import pandas as pd
import pytest
from scarceseq.perturbation.metrics import METRICS
from scarceseq.perturbation.truth import Truth
from scipy import sparse
from sklearn.metrics.pairwise import cosine_similarity

GENES = [f"G{gene:02d}" for gene in range(40)]
NAMES = GENES[:6]
BY_HAND = {"weighted_mse", "differential_auprc", "differential_auroc", "discrimination_absolute"}
"""Written out in `test_perturbation_ranks.py` and `test_perturbation_calibration.py`."""
OF_GEARS = {
    "mse": ("compute_metrics", "mse"),
    "mse_top": ("compute_metrics", "mse_de"),
    "mse_top_non_dropout": ("non_dropout_analysis", "mse_top20_de_non_dropout"),
    "pearson_delta": ("deeper_analysis", "pearson_delta"),
    "pearson_delta_top": ("deeper_analysis", "pearson_delta_de"),
    "pearson_delta_top_non_dropout": ("non_dropout_analysis", "pearson_delta_top20_de_non_dropout"),
    "wrong_direction": ("non_dropout_analysis", "frac_opposite_direction_top20_non_dropout"),
}
# with the mean of the pool in place of control
OF_GEARS_AROUND_MEAN = {
    "pearson_delta_perturbed_mean": ("deeper_analysis", "pearson_delta"),
    "pearson_delta_perturbed_mean_top": ("deeper_analysis", "pearson_delta_de"),
}
OF_CELL_EVAL = {"mse", "pearson_delta", "pearson_delta_perturbed_mean", "discrimination", "centroid_accuracy"}
OF_CELL_EVAL |= {"differential_recall", "mae"}
ELSEWHERE = {"cosine", "weighted_r2_delta", "spearman_delta"}
"""scikit-learn and scipy: here and in `test_perturbation_calibration.py`."""


class Case:
    """Profiles and predictions of six perturbations, and what metrics need besides."""

    def __init__(self):
        generator = np.random.default_rng(2)
        self.control, self.profiles = generator.uniform(1, 2, 40), generator.uniform(1, 2, size=(6, 40))
        self.prediction = self.profiles + 0.9 * generator.normal(size=(6, 40))
        self.pool_mean = generator.uniform(1, 2, 40)
        self.tops = [np.array([generator.permutation(40) < 20 for _ in NAMES]) for _ in range(2)]

    def ours(self, name, own_gene_counts=True):
        """Values of one metric."""
        mask = np.ones((6, 40), dtype=bool)
        if not own_gene_counts:
            mask[np.arange(6), np.arange(6)] = False
        truth = Truth(self.profiles - self.control, mask, *self.tops, self.pool_mean - self.control, {})
        return METRICS[name].value(self.prediction - self.control, truth)

    def of_gears(self, inference, function, key, reference):
        """The same from cell-gears; two cells of each perturbation, since it divides by the spread of cells."""
        data = anndata.AnnData(sparse.csr_matrix(np.vstack([reference, self.profiles])))
        data.var_names = data.var["gene_name"] = GENES
        data.obs["condition"] = data.obs["condition_name"] = ["ctrl", *NAMES]
        order = [np.argsort(~row, kind="stable") for row in self.tops[0]]
        listed = [np.array(GENES)[row] for row in self.tops[1]]
        data.uns = {
            "rank_genes_groups_cov_all": {name: np.array(GENES)[row] for name, row in zip(NAMES, order, strict=True)},
            "top_non_dropout_de_20": dict(zip(NAMES, listed, strict=True)),
            "non_zeros_gene_idx": dict.fromkeys(NAMES, np.arange(40)),
            "non_dropout_gene_idx": dict.fromkeys(NAMES, np.arange(40)),
        }
        results = {"pert_cat": np.array(NAMES * 2), "pred": np.vstack([self.prediction] * 2)}
        results["truth"] = np.vstack([self.profiles + 0.01, self.profiles - 0.01])
        for which in ("pred", "truth"):
            results[f"{which}_de"] = np.stack([results[which][row, order[row % 6][:20]] for row in range(12)])
        if function == "compute_metrics":
            return np.array([inference.compute_metrics(results)[1][name][key] for name in NAMES])
        found = getattr(inference, function)(data, results)
        return np.array([found[name][key] for name in NAMES])

    def pair(self, peer, reference):
        """The pair of files that cell-eval compares."""
        sides = []
        for profiles in (self.profiles, self.prediction):
            data = anndata.AnnData(
                np.vstack([reference, profiles]), obs=pd.DataFrame({"gene": ["ctrl", *NAMES]}, index=["ctrl", *NAMES])
            )
            data.var_names = GENES
            sides.append(data)
        return peer.PerturbationAnndataPair(*sides, pert_col="gene", control_pert="ctrl")


@pytest.fixture(scope="module")
def case():
    return Case()


@pytest.fixture(scope="module")
def inference():
    return pytest.importorskip("gears.inference", reason="cell-gears is not installed; `make .venv/peers`")


@pytest.fixture(scope="module")
def cell_eval():
    return pytest.importorskip("cell_eval", reason="cell-eval is not installed; `make .venv/peers`")


def test_every_metric_is_compared_with_a_peer_or_computed_by_hand():
    assert {*OF_GEARS, *OF_GEARS_AROUND_MEAN, *OF_CELL_EVAL, *ELSEWHERE, *BY_HAND} == set(METRICS)


@pytest.mark.parametrize("name", OF_GEARS)
def test_metrics_are_those_of_cell_gears(case, inference, name):
    np.testing.assert_allclose(case.ours(name), case.of_gears(inference, *OF_GEARS[name], case.control), rtol=1e-10)


@pytest.mark.parametrize("name", OF_GEARS_AROUND_MEAN)
def test_metrics_around_the_perturbed_mean_are_those_of_cell_gears_with_it_as_control(case, inference, name):
    expected = case.of_gears(inference, *OF_GEARS_AROUND_MEAN[name], case.pool_mean)
    np.testing.assert_allclose(case.ours(name), expected, rtol=1e-10)


def test_errors_and_correlations_are_those_of_cell_eval(case, cell_eval):
    from cell_eval.metrics import _anndata as peer

    pair, around_mean = (case.pair(cell_eval, reference) for reference in (case.control, case.pool_mean))
    for name, theirs in {
        "mse": peer.mse_delta(pair),
        "mae": peer.mae_delta(pair),
        "pearson_delta": peer.pearson_delta(pair),
        "pearson_delta_perturbed_mean": peer.pearson_delta(around_mean),
    }.items():
        np.testing.assert_allclose(case.ours(name), [theirs[perturbed] for perturbed in NAMES], rtol=1e-10)


def test_discrimination_is_that_of_cell_eval(case, cell_eval):
    from cell_eval.metrics import _anndata as peer

    pair = case.pair(cell_eval, case.control)
    theirs = peer.discrimination_score(pair)
    expected = [theirs[name] for name in NAMES]
    assert len(set(expected)) > 1
    np.testing.assert_allclose(case.ours("discrimination", own_gene_counts=False), expected)
    # centroid accuracy is the same by Euclidean distance, the true one not among those it is compared with
    theirs = peer.discrimination_score(pair, metric="euclidean", exclude_target_gene=False)
    rank = [6 * (1 - theirs[name]) for name in NAMES]
    np.testing.assert_allclose(case.ours("centroid_accuracy"), 1 - np.array(rank) / 5)


def test_recall_is_the_overlap_of_cell_eval(case, cell_eval):
    """Theirs takes as many of the strongest predicted changes as genes are significant: all of both lists are here."""
    import polars

    tables = []
    for profiles, significant in ((case.profiles, case.tops[0]), (case.prediction, np.ones((6, 40), dtype=bool))):
        change = (profiles - case.control).ravel()
        columns = {"target": np.repeat(NAMES, 40), "feature": np.tile(GENES, 6), "log2_fold_change": change}
        columns |= {"fdr": np.where(significant, 0.0, 1.0).ravel(), "p_value": np.zeros(240)}
        columns["abs_log2_fold_change"] = np.abs(change)
        tables.append(polars.DataFrame(columns))
    theirs = cell_eval.initialize_de_comparison(*tables).compute_overlap(k=None)
    np.testing.assert_allclose(case.ours("differential_recall"), [theirs[name] for name in NAMES])


def test_cosine_is_that_of_scikit_learn(case):
    expected = cosine_similarity(case.prediction - case.control, case.profiles - case.control)
    np.testing.assert_allclose(case.ours("cosine"), np.diag(expected), rtol=1e-10)


@pytest.mark.filterwarnings("ignore:An input array is constant")
def test_a_prediction_without_change_scores_nothing_where_peers_differ(case, cell_eval, inference):
    """The correlation of a constant: NaN in cell-eval, 0 in cell-gears and here, so that means are known."""
    from cell_eval.metrics import _anndata as peer

    idle = Case()
    idle.prediction = np.tile(idle.control, (6, 1))
    assert idle.ours("pearson_delta").tolist() == [0] * 6
    # through its mean over cells theirs sees rounding, not a constant, unless it is exactly 0
    idle.control, idle.prediction = np.ones(40), np.ones((6, 40))
    assert np.isnan(list(peer.pearson_delta(idle.pair(cell_eval, idle.control)).values())).all()
    theirs = idle.of_gears(inference, "deeper_analysis", "pearson_delta", idle.control)
    assert theirs.tolist() == idle.ours("pearson_delta").tolist() == [0] * 6

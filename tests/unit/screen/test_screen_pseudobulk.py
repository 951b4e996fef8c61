"""Profiles of perturbations: differences to control, reliability, differential genes."""

import anndata
import numpy as np
import pytest
import scanpy
from scarceseq.screen.cell_normalisation import normalise_cells
from scarceseq.screen.differential import Wilcoxon, welch
from scarceseq.screen.groups import Groups
from scarceseq.screen.prepare import prepare_screen
from scarceseq.screen.pseudobulk import divide, mean_and_variance, pseudobulk
from scarceseq.seeds import derive
from scipy import sparse, stats
from small_screen import make_screen, settings, write_screen


@pytest.fixture
def path(tmp_path):
    return write_screen(tmp_path)


def prepared(path, tmp_path, **changes):
    chosen = settings(exclude=["odd"], **changes)
    normalise_cells(path, tmp_path / "cells.h5ad", chosen, {})
    return prepare_screen("s", tmp_path / "cells.h5ad", chosen, 7), anndata.read_h5ad(tmp_path / "cells.h5ad")


def test_deltas_are_differences_of_mean_log_expression(path, tmp_path):
    screen, cells = prepared(path, tmp_path)
    values, labels = cells.X.toarray().astype(float), cells.obs["perturbation"].to_numpy()
    for name in ("G1", "G2", "G3"):
        expected = values[labels == name].mean(axis=0) - values[labels == "control"].mean(axis=0)
        np.testing.assert_allclose(screen["profiles"][name].X.ravel(), expected, atol=1e-6)
    assert list(screen["profiles"].obs["cells"]) == [40, 40, 30]
    assert screen["profiles"].uns["kind"] == "cells"


def test_reliability_is_high_where_there_is_an_effect_and_not_where_there_is_none(tmp_path):
    labels = ["NT"] * 60 + ["G1"] * 40 + ["G2"] * 40 + ["G3"] * 40
    make_screen(labels, genes=200, raised={"G1": 5, "G2": 6}).write_h5ad(tmp_path / "screen.h5ad")
    obs = prepared(tmp_path / "screen.h5ad", tmp_path, split_halves=10)[0]["profiles"].obs
    assert obs["reliability"][["G1", "G2"]].min() > 0.5
    assert abs(obs.loc["G3", "reliability"]) < 0.25


def test_a_quarter_of_the_halves_squared_difference_is_the_noise_of_the_profile(tmp_path):
    """Oracle: variance of a difference of means, counted directly over repeated screens of constant effect zero."""
    truth, estimate = [], []
    for seed in range(30):
        data = make_screen(["control"] * 40 + ["other"] * 40, seed=100)
        data.X = sparse.csr_matrix(np.random.default_rng(seed).normal(1, 1, size=(80, 12)).astype(np.float32))
        data.obs["perturbation"] = data.obs["target"].astype(str)
        data.write_h5ad(tmp_path / "cells.h5ad")
        with Groups(tmp_path / "cells.h5ad") as groups:
            profile, _ = pseudobulk(groups, settings(split_halves=4), seed)
        np.testing.assert_allclose(
            profile.layers["half_squared_difference"].mean(), profile.obs["half_squared_error"].iloc[0], rtol=1e-5
        )
        truth.append((profile.X**2).mean())
        estimate.append(profile.obs["half_squared_error"].iloc[0] / 4)
    assert np.mean(estimate) == pytest.approx(np.mean(truth), rel=0.15)
    assert np.mean(truth) == pytest.approx(2 / 40, rel=0.2)


def test_scores_against_other_perturbations_are_those_of_their_pooled_cells(path, tmp_path):
    """Oracle: scipy's Welch test on the cells themselves."""
    screen, cells = prepared(path, tmp_path)
    values, labels = cells.X.toarray().astype(float), cells.obs["perturbation"].to_numpy()
    for row, name in enumerate(("G1", "G2", "G3")):
        others = values[(labels != name) & (labels != "control")]
        with np.errstate(all="ignore"):
            expected = stats.ttest_ind(values[labels == name], others, equal_var=False).statistic
        scores = screen["profiles"].layers["score_others"][row]
        np.testing.assert_allclose(scores, np.nan_to_num(expected), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("test", ["welch", "wilcoxon"])
def test_halves_are_kept_with_the_sureness_of_their_own_tests(path, tmp_path, test):
    """Oracles: the noise that they imply; scipy's tests and adjustment on the half's cells."""
    screen, _cells = prepared(path, tmp_path, split_halves=1, differential_test=test)
    layers = screen["profiles"].layers
    difference = layers["first_half"] - layers["second_half"]
    np.testing.assert_allclose(difference**2, layers["half_squared_difference"], rtol=1e-4, atol=1e-8)
    np.testing.assert_allclose((layers["first_half"] + layers["second_half"]) / 2, screen["profiles"].X, atol=1e-5)
    with Groups(tmp_path / "cells.h5ad") as groups:
        halves = {
            name: divide(groups.read(name), derive(derive(7, "screen", "s"), "half", 0, name))
            for name in ("control", "G1")
        }
    for side, layer in enumerate(("first_half_weight", "second_half_weight")):
        one, control = halves["G1"][side].toarray().astype(float), halves["control"][side].toarray().astype(float)
        with np.errstate(all="ignore"):
            if test == "welch":
                p_value = stats.ttest_ind(one, control, equal_var=False).pvalue
            else:
                p_value = stats.mannwhitneyu(one, control, use_continuity=False, method="asymptotic").pvalue
        expected = 1 - stats.false_discovery_control(np.nan_to_num(p_value, nan=1.0))
        np.testing.assert_allclose(layers[layer][0], expected, atol=1e-4)


def test_the_most_differential_gene_is_the_one_that_was_changed(path, tmp_path):
    table = prepared(path, tmp_path)[0]["differential"]
    first = table[table["rank"] == 1].set_index("perturbation")["gene"]
    assert (first["G1"], first["G2"]) == ("G5", "G6")
    assert table.groupby("perturbation").size().to_dict() == {"G1": 3, "G2": 3, "G3": 3}
    assert table.loc[(table["perturbation"] == "G1") & (table["rank"] == 1), "adjusted_p_value"].item() < 1e-6


def test_fold_changes_are_the_differences_to_control_and_finite(path, tmp_path):
    screen = prepared(path, tmp_path)[0]
    table, delta = screen["differential"], screen["profiles"].to_df()
    expected = [delta.loc[row.perturbation, row.gene] / np.log(2) for row in table.itertuples()]
    np.testing.assert_allclose(table["log2_fold_change"], expected, rtol=1e-5, atol=1e-6)


def test_the_same_screen_gives_the_same_bytes(path, tmp_path):
    for name in ("first", "second"):
        prepared(path, tmp_path)[0]["profiles"].write_h5ad(tmp_path / f"{name}.h5ad")
    assert (tmp_path / "first.h5ad").read_bytes() == (tmp_path / "second.h5ad").read_bytes()


def ranked_by_scanpy(cells, method):
    data = anndata.AnnData(cells.X, obs=cells.obs, var=cells.var, uns={"log1p": {"base": None}})
    data.obs["perturbation"] = data.obs["perturbation"].astype("category")
    options = {"tie_correct": True} if method == "wilcoxon" else {}
    scanpy.tl.rank_genes_groups(
        data, "perturbation", reference="control", method=method, rankby_abs=True, n_genes=data.n_vars, **options
    )
    table = scanpy.get.rank_genes_groups_df(data, group=None)
    return table.set_index(["group", "names"])


@pytest.mark.parametrize(("method", "name"), [("t-test", "t_test"), ("wilcoxon", "wilcoxon")])
def test_differential_genes_are_those_of_scanpy(path, tmp_path, method, name):
    screen, cells = prepared(path, tmp_path, differential_test=name, top_differential_genes=12)
    expected = ranked_by_scanpy(cells, method)
    found = screen["differential"].set_index(["perturbation", "gene"])
    expected = expected.reindex(found.index)
    # scanpy keeps scores in single precision
    np.testing.assert_allclose(found["score"], expected["scores"], rtol=2e-5, atol=1e-6)
    for column, peer in (("p_value", "pvals"), ("adjusted_p_value", "pvals_adj")):
        np.testing.assert_allclose(np.log(found[column]), np.log(expected[peer]), rtol=1e-4, atol=1e-6)


def test_the_rank_sum_test_is_that_of_scipy_with_many_ties():
    generator = np.random.default_rng(0)
    control, cells = generator.poisson(1.0, size=(50, 8)), generator.poisson(1.3, size=(20, 8))
    control[:, 7] = cells[:, 7] = 0
    score, p_value = Wilcoxon(sparse.csr_matrix(control.astype(float))).test(sparse.csr_matrix(cells.astype(float)))
    peer = stats.mannwhitneyu(cells[:, :7], control[:, :7], use_continuity=False, method="asymptotic")
    np.testing.assert_allclose(p_value[:7], peer.pvalue, rtol=1e-10)
    assert (np.sign(score[:7]) == np.sign(peer.statistic - 20 * 50 / 2)).all()
    assert (score[7], p_value[7]) == (0, 1)


def test_means_and_variances_are_those_of_numpy_and_silent_genes_differ_from_nothing():
    values = np.random.default_rng(1).poisson(0.7, size=(30, 6)).astype(np.float32)
    values[:, 2] = 0
    mean, variance = mean_and_variance(sparse.csr_matrix(values))
    np.testing.assert_allclose(mean, values.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(variance, values.astype(float).var(axis=0, ddof=1), rtol=1e-10)
    assert welch(mean, variance, 30, mean, variance, 30)[1].tolist() == [1] * 6


def test_non_dropout_lists_leave_out_genes_that_only_control_cells_express(tmp_path):
    data = make_screen(["NT"] * 60 + ["G1"] * 40 + ["G2"] * 40 + ["G3"] * 40)
    values = data.X.toarray()
    values[60:100, [4, 6]] = 0  # gone: the two most different genes
    values[:, 8] = 0  # never there
    data.X = sparse.csr_matrix(values)
    data.write_h5ad(tmp_path / "screen.h5ad")
    table = prepared(tmp_path / "screen.h5ad", tmp_path, top_differential_genes=9)[0]["differential"]
    table = table[table["perturbation"] == "G1"]
    assert set(table.loc[table["rank"] <= 2, "gene"]) == {"G4", "G6"}
    alive = table.dropna(subset="rank_non_dropout")
    assert not set(alive["gene"]) & {"G4", "G6"}
    assert len(alive) == 9
    assert sorted(alive["rank_non_dropout"]) == list(range(1, 10))
    in_both = alive.dropna(subset="rank").sort_values("rank")
    assert in_both["rank_non_dropout"].is_monotonic_increasing


def test_flagged_cells_are_left_out_of_profiles_where_asked(path, tmp_path):
    screen, cells = prepared(path, tmp_path, drop_cells_expressing_target=True, min_cells=5)
    kept = cells[~cells.obs["target_expressed"]]
    counts = kept.obs["perturbation"].value_counts()
    assert screen["profiles"].obs["cells"].to_dict() == {n: c for n, c in counts.items() if n != "control" and c >= 5}
    assert screen["summary"]["perturbations_left_too_small"] == 3 - screen["profiles"].n_obs
    name = screen["profiles"].obs_names[0]
    values, labels = kept.X.toarray().astype(float), kept.obs["perturbation"].to_numpy()
    expected = values[labels == name].mean(axis=0) - values[labels == "control"].mean(axis=0)
    np.testing.assert_allclose(screen["profiles"][name].X.ravel(), expected, atol=1e-6)


def test_a_real_screen_of_raw_counts_is_read(shared_data, tmp_path):
    """Oracle: cells and targets counted in the published table; interferon receptors are the strongest knock-outs."""
    chosen = settings(control="non-targeting", min_cells=20, minimum_matched_share=0.3)
    source = shared_data / "perturb/cells/papalexi_lowmoi.h5ad"
    counts = normalise_cells(source, tmp_path / "cells.h5ad", chosen, {})
    assert (counts["cells"], counts["control_cells"], counts["perturbations"]) == (20729, 2386, 25)
    profiles = prepare_screen("p", tmp_path / "cells.h5ad", chosen, 1)["profiles"]
    strongest = profiles.obs["reliability"].sort_values().index[-5:]
    assert {"IFNGR1", "IFNGR2"} <= set(strongest)

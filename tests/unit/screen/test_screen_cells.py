"""Cells of a screen are checked, chosen and normalised; what is set aside is counted."""

from types import SimpleNamespace

import anndata
import numpy as np
import pandas as pd
import pytest
from scarceseq.errors import InputError
from scarceseq.screen.cells import normalise_cells, single_gene_labels
from scarceseq.screen.prepare import prepare_screen
from scipy import sparse

SETTINGS = {
    "kind": "cells",
    "transductive": False,
    "control": "NT",
    "exclude": [],
    "old_symbol_column": "old",
    "new_symbol_column": "new",
    "splits": 3,
    "test_share": 0.34,
    "perturbation_column": "target",
    "gene_symbol_column": None,
    "values": "counts",
    "target_sum": 10_000,
    "min_cells": 10,
    "highly_variable_genes": 0,
    "top_differential_genes": 3,
    "split_halves": 2,
    "name_key": "perturbation",
    "delta_key": "delta",
}


def settings(**changes):
    return SimpleNamespace(**SETTINGS | changes)


def make_screen(labels, genes=12, seed=0, raised=None):
    """Counts of cells; perturbation P of `raised` {P: gene} multiplies one gene's rate."""
    generator = np.random.default_rng(seed)
    rate = np.tile(generator.uniform(2, 20, genes), (len(labels), 1))
    for row, label in enumerate(labels):
        if label in (raised or {}):
            rate[row, raised[label]] *= 6
    data = anndata.AnnData(sparse.csr_matrix(generator.poisson(rate).astype(np.float32)))
    data.var_names = [f"G{gene}" for gene in range(genes)]
    data.obs["target"] = pd.Categorical(labels)
    return data


@pytest.fixture
def path(tmp_path):
    labels = (
        ["NT"] * 60 + ["G1"] * 40 + ["G2"] * 40 + ["G3"] * 30 + ["G1+G2"] * 12 + ["G4"] * 4 + ["odd"] * 11 + [None] * 5
    )
    make_screen(labels, raised={"G1": 5, "G2": 6}).write_h5ad(tmp_path / "screen.h5ad")
    return tmp_path / "screen.h5ad"


def test_cells_that_are_not_single_gene_are_set_aside_and_counted(path):
    cells, counts = normalise_cells(path, settings(exclude=["odd"]))
    assert cells.obs["perturbation"].value_counts().to_dict() == {"control": 60, "G1": 40, "G2": 40, "G3": 30}
    expected = {"cells_of_combinations": 12, "combinations": 1, "perturbations_with_few_cells": 1}
    expected |= {"cells_of_small_perturbations": 4, "cells_excluded": 11, "cells_without_label": 5, "cells": 170}
    assert {key: counts[key] for key in expected} == expected


def test_a_gene_joined_with_the_control_is_that_gene():
    labels = np.array(["NT", "A+NT", "NT+A", "A+B", "A,B", "NT+NT", None], dtype=object)
    assert list(single_gene_labels(labels, "NT", [])) == ["control", "A", "A", "", "", "control", ""]


def test_normalised_values_are_the_logarithm_of_counts_per_ten_thousand(path):
    cells, _ = normalise_cells(path, settings(exclude=["odd"]))
    raw = anndata.read_h5ad(path)[cells.obs_names].X.toarray()
    expected = np.log1p(raw / raw.sum(axis=1, keepdims=True) * 10_000)
    np.testing.assert_allclose(cells.X.toarray(), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"perturbation_column": "guide"}, "no column 'guide'.*target"),
        ({"control": "control"}, "control label 'control'"),
        ({"min_cells": 500}, "500 cells"),
        ({"values": "log_normalised"}, "set values to counts"),
        ({"gene_symbol_column": "symbol"}, "no column 'symbol'"),
    ],
)
def test_a_screen_that_is_not_as_the_config_says_is_refused(path, change, message):
    with pytest.raises(InputError, match=message):
        normalise_cells(path, settings(**change))


@pytest.mark.parametrize(("value", "message"), [(0.5, "not raw counts"), (-1, "negative"), (np.nan, "missing")])
def test_values_that_are_no_counts_are_refused(path, tmp_path, value, message):
    data = anndata.read_h5ad(path)
    data.X.data[0] = value
    data.write_h5ad(tmp_path / "bad.h5ad")
    with pytest.raises(InputError, match=message):
        normalise_cells(tmp_path / "bad.h5ad", settings())


def test_declared_log_values_are_taken_as_they_are(path, tmp_path):
    data = anndata.read_h5ad(path)
    data.X = data.X.log1p()
    data.write_h5ad(tmp_path / "log.h5ad")
    cells, _ = normalise_cells(tmp_path / "log.h5ad", settings(values="log_normalised"))
    np.testing.assert_array_equal(cells.X.toarray(), data[cells.obs_names].X.toarray())


def test_the_choice_of_variable_genes_does_not_see_perturbed_cells(path, tmp_path):
    chosen = settings(highly_variable_genes=4)
    before, _ = normalise_cells(path, chosen)
    data = anndata.read_h5ad(path)
    perturbed = (data.obs["target"] != "NT").to_numpy()
    changed = data.X.toarray()
    changed[perturbed] = np.random.default_rng(1).permutation(changed[perturbed].ravel()).reshape(-1, 12)
    data.X = sparse.csr_matrix(changed)
    data.write_h5ad(tmp_path / "changed.h5ad")
    after, _ = normalise_cells(tmp_path / "changed.h5ad", chosen)
    assert list(before.var_names) == list(after.var_names)
    assert {"G1", "G2", "G3"} <= set(before.var_names)


def prepared(path, tmp_path, **changes):
    cells, _ = normalise_cells(path, settings(exclude=["odd"]))
    cells.write_h5ad(tmp_path / "cells.h5ad")
    return prepare_screen("s", tmp_path / "cells.h5ad", settings(**changes), 7), cells


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


def test_a_quarter_of_the_halves_squared_difference_is_the_noise_of_the_profile():
    """Oracle: variance of a difference of means, counted directly over repeated screens of constant effect zero."""
    from scarceseq.screen.pseudobulk import pseudobulk

    truth, estimate = [], []
    for seed in range(30):
        data = make_screen(["control"] * 40 + ["other"] * 40, seed=100)
        data.X = np.random.default_rng(seed).normal(1, 1, size=(80, 12)).astype(np.float32)
        data.obs["perturbation"] = data.obs["target"].astype(str)
        profile = pseudobulk(data, settings(split_halves=4), seed)
        truth.append((profile.X**2).mean())
        estimate.append(profile.obs["half_squared_error"].iloc[0] / 4)
    assert np.mean(estimate) == pytest.approx(np.mean(truth), rel=0.15)
    assert np.mean(truth) == pytest.approx(2 / 40, rel=0.2)


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


def test_a_real_screen_of_raw_counts_is_read(shared_data, tmp_path):
    """Oracle: cells and targets counted in the published table; interferon receptors are the strongest knock-outs."""
    chosen = settings(control="non-targeting", min_cells=20)
    cells, counts = normalise_cells(shared_data / "perturb/cells/papalexi_lowmoi.h5ad", chosen)
    assert (counts["cells"], counts["control_cells"], counts["perturbations"]) == (20729, 2386, 25)
    cells.write_h5ad(tmp_path / "cells.h5ad")
    profiles = prepare_screen("p", tmp_path / "cells.h5ad", chosen, 1)["profiles"]
    strongest = profiles.obs["reliability"].sort_values().index[-5:]
    assert {"IFNGR1", "IFNGR2"} <= set(strongest)

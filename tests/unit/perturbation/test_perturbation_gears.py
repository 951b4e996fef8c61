"""GEARS as a predictor: trained on control and its own perturbations alone, anew for each split."""

from dataclasses import replace

import anndata
import numpy as np
import pandas as pd
import pytest
import torch
from scarceseq.errors import InputError
from scarceseq.network.graph import graph_from_edges
from scarceseq.perturbation.calibration import calibrate
from scarceseq.perturbation.evaluate import evaluate
from scarceseq.perturbation.gears.model import Gears
from scarceseq.perturbation.predictors import gears
from scarceseq.perturbation.prior import Prior
from scarceseq.perturbation.training_cells import read_cells
from scarceseq.selection.fitting import fit_selection
from scarceseq.selection.settings import BudgetSettings
from scipy import sparse
from smooth_case import COLUMNS, GENES, make_prior, screen_of, smooth_screen


def errors(screen, prior):
    table = evaluate({"screen": "s", "predictor": "gears", "source": "g"}, screen, prior)[0].dropna(subset="split")
    return table[table["metric"].isin(["mse", "pearson_delta"])].reset_index(drop=True)


@pytest.mark.parametrize("mode", ["moments", "corrected", "reference"])
def test_the_cells_of_other_perturbations_have_no_influence(mode):
    """Oracle: the same after these cells are replaced by others."""
    cells, graph = smooth_screen()
    rows, tested = np.arange(20), np.arange(20, 30)
    values = cells.expression.toarray()
    values[cells.condition > 20] = np.random.default_rng(9).gamma(3, size=((cells.condition > 20).sum(), 20))
    changed = replace(cells, expression=sparse.csr_matrix(values))
    found = []
    for own in (cells, changed):
        features = gears.prepare(make_prior(own, graph, mode=mode))
        found.append(gears.predict(gears.fit(np.zeros((20, 20)), rows, features), tested))
    np.testing.assert_array_equal(*found)
    assert np.abs(found[0]).max() > 0


def test_a_split_gets_its_own_graph_and_model_whatever_was_trained_before():
    """No cache serves one split's graph or model to another: each alone, in any order, gives what all together give."""
    cells, graph = smooth_screen()
    screen, prior = screen_of(cells), make_prior(cells, graph)
    together = errors(screen, prior)
    assert together.query("metric == 'mse'")["value"].nunique() == 3
    for split in (2, 0, 1):
        alone = errors(screen | {"splits": screen["splits"].query("split == @split")}, prior)
        pd.testing.assert_frame_equal(alone, together[together["split"] == split].reset_index(drop=True))


@pytest.mark.parametrize("which", ["training", "control"])
def test_genes_are_co_expressed_in_training_cells_or_in_control(which):
    cells, graph = smooth_screen()
    own = gears.prepare(make_prior(cells, graph, coexpression_cells=which, min_correlation=0.3)).settings[0]
    found = {}
    for name, last in (("first", 10), ("other", 25)):
        used = np.flatnonzero(cells.condition <= last)
        expected_rows = used if which == "training" else np.flatnonzero(cells.condition == 0)
        correlation = np.abs(np.corrcoef(cells.expression[expected_rows].toarray().T)) - np.eye(20)
        source, target, weight = gears.coexpression_edges(cells, used, own)
        matrix = np.zeros((20, 20))
        matrix[source, target] = weight
        np.testing.assert_allclose(matrix, np.where(correlation > 0.3, correlation, 0), atol=1e-5)
        found[name] = matrix
    assert np.array_equal(found["first"], found["other"]) == (which == "control")


@pytest.mark.parametrize("layers", [1, 2])
def test_nodes_that_no_perturbed_gene_learns_from_are_left_out(layers):
    """Oracle: a model on the whole graph with the same weights at the nodes that are kept."""
    cells, _ = smooth_screen()
    generator = np.random.default_rng(3)
    names = np.array([f"N{index:02d}" for index in range(200)])
    names[:25] = GENES[:25]
    pairs = generator.choice(200 * 200, size=500, replace=False)
    frame = pd.DataFrame({"source": names[pairs // 200], "target": names[pairs % 200]})
    graph = graph_from_edges(frame[frame["source"] != frame["target"]].assign(weight=0.3))
    features = gears.prepare(make_prior(cells, graph, similarity_layers=layers))
    assert 25 < features.nodes < len(graph.nodes)
    part = gears.fit(np.zeros((10, 20)), np.arange(10), features).network
    edges, position = graph.incoming.tocoo(), graph.positions(GENES)
    targets = np.concatenate([[-1], np.where(position < 0, 0, position)])[:, None]
    shape = features.settings[1]
    whole = Gears(20, ([], [], []), (edges.col, edges.row, edges.data), targets, len(graph.nodes), shape, [0])
    whole.along_coexpression = part.along_coexpression
    state = part.state_dict()
    kept = np.unique(np.concatenate([position[position >= 0], *sources(graph, position[position >= 0], layers)]))
    place = state.pop("perturbation_embedding")
    embedding = torch.randn(1, len(graph.nodes), place.shape[2], generator=torch.Generator().manual_seed(0))
    embedding[:, kept] = place[:, : len(kept)]
    whole.load_state_dict(state | {"perturbation_embedding": embedding})
    rows = torch.from_numpy(1 + np.flatnonzero(position >= 0))
    torch.testing.assert_close(part.predict(rows)[0], whole.predict(rows)[0], atol=1e-5, rtol=1e-5)


def sources(graph, nodes, layers):
    """Sources of edges into nodes, edge by edge, for each step."""
    dense, found = graph.incoming.toarray(), []
    for _ in range(layers):
        nodes = np.array(sorted({source for node in nodes for source in np.flatnonzero(dense[node])}), dtype=int)
        found.append(nodes)
    return found


def test_what_neighbours_do_is_learned():
    cells, graph = smooth_screen()
    settings = {"epochs": 15, "steps_per_epoch": 20, "learning_rate": 1e-2, "hidden": 16}
    table = errors(screen_of(cells), make_prior(cells, graph, **settings))
    screen = screen_of(cells)
    bounds = calibrate("s", screen["profiles"], screen["differential"], screen["splits"], 1)
    floor = bounds.query("metric == 'mse' and kind == 'floor'").set_index("split")["value"]
    assert (table.query("metric == 'mse'").set_index("split")["value"] < 0.5 * floor).all()


def test_members_are_trained_together_as_each_alone():
    cells, graph = smooth_screen()
    rows, tested = np.arange(20), np.arange(20, 30)
    alone, together = (gears.prepare(make_prior(cells, graph, members=n)) for n in (1, 3))
    models = [gears.fit(np.zeros((20, 20)), rows, features) for features in (alone, together)]
    found = [gears.ensemble(model, tested) for model in models]
    assert [part.shape for part in found] == [(1, 10, 20), (3, 10, 20)]
    np.testing.assert_allclose(found[1][0], found[0][0], atol=2e-4)
    assert np.abs(found[1][1] - found[1][0]).max() > 1e-2
    np.testing.assert_allclose(gears.predict(models[1], tested), found[1].mean(axis=0))
    states = [gears.hidden_states(model, tested) for model in models]
    assert states[1].shape == (10, 24)
    np.testing.assert_allclose(states[1][:, :8] * 3**0.5, states[0], atol=2e-4)


def test_another_seed_gives_another_ensemble():
    cells, graph = smooth_screen()
    features = gears.prepare(make_prior(cells, graph))
    found = [gears.predict(gears.fit(np.zeros((20, 20)), np.arange(20), features, seed), [25]) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.allclose(found[0], found[2])


def test_genes_outside_the_graph_get_the_training_mean_and_no_state():
    cells, _ = smooth_screen()
    frame = pd.DataFrame({"source": ["G00", "G01"], "target": ["G01", "G02"], "weight": 1.0})
    features = gears.prepare(make_prior(cells, graph_from_edges(frame)))
    delta = np.random.default_rng(0).normal(size=(20, 20))
    model = gears.fit(delta, np.arange(20), features)
    assert features.nodes == 30
    np.testing.assert_allclose(gears.predict(model, np.array([25]))[0], delta.mean(axis=0))
    assert not np.allclose(gears.predict(model, np.array([2]))[0], delta.mean(axis=0))
    states = gears.hidden_states(model, np.array([2, 25]))
    assert states[0].any()
    assert not states[1].any()


def test_learning_curves_train_it_as_any_predictor():
    cells, graph = smooth_screen()
    screen, prior = screen_of(cells), make_prior(cells, graph)
    screen["splits"] = screen["splits"].query("split == 0")
    pool = screen["splits"].query("role == 'pool'")["perturbation"].to_numpy()
    ranks = np.arange(1, len(pool) + 1)
    rankings = pd.DataFrame({"split": 0, "draw": 0, "rank": ranks, "gene": pool, "selector": "random", "round": 0})
    about, known = {"screen": "s", "graph": "g", "selector": "random"}, {"cells": cells, "settings": prior.settings}
    table = fit_selection(about, "gears", screen, rankings, graph, BudgetSettings([50, 100], 5, model_seeds=1), known)
    found = table.query("kind == 'mean' and metric == 'mse'").set_index("budget_share")["value"]
    assert len(found) == 2
    assert found[1.0] == pytest.approx(errors(screen, prior).query("metric == 'mse'")["value"][0])
    assert found[1.0] != found.iloc[0]


def test_a_screen_without_cells_is_not_defined_for_it():
    cells, graph = smooth_screen()
    screen = screen_of(cells)
    screen["profiles"].uns["kind"] = "coordinates"
    table = evaluate({"screen": "s", "predictor": "gears", "source": "g"}, screen, Prior(GENES, COLUMNS, graph))[0]
    assert set(table["status"]) == {"not defined"}


def test_cells_are_read_in_the_order_of_the_profiles(tmp_path):
    labels = np.array(["control"] * 4 + ["A"] * 3 + ["B"] * 2)
    data = anndata.AnnData(sparse.csr_matrix(np.arange(18, dtype=np.float32).reshape(9, 2)))
    data.obs["perturbation"], data.obs["batch"] = labels, [*"xyxy", *"yyx", *"xx"]
    data.obs["target_expressed"] = [False] * 4 + [True, False, False] + [False] * 2
    order = np.argsort(labels, kind="stable")
    data[order].write_h5ad(tmp_path / "cells.h5ad")
    cells = read_cells(tmp_path / "cells.h5ad", ["B", "A"], drop_expressing=True)
    assert cells.condition.tolist() == [0] * 4 + [1] * 2 + [2] * 2
    assert cells.expression.toarray()[:, 0].tolist() == [0, 2, 4, 6, 14, 16, 10, 12]
    assert cells.batch.tolist() == [0, 1, 0, 1, 0, 0, 1, 0]
    with pytest.raises(InputError, match="there are no cells of D"):
        read_cells(tmp_path / "cells.h5ad", ["A", "D"])

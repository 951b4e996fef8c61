"""Selection in rounds on GEARS: selectors see its hidden states and predictions, and it sees what is measured alone."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scarceseq import registry
from scarceseq.config import selector_names
from scarceseq.perturbation.predictors import gears
from scarceseq.perturbation.ridge import RIDGES, fit_dual
from scarceseq.seeds import derive
from scarceseq.selection.rounds import select_in_rounds
from scarceseq.selection.settings import RankingSettings, RoundSettings
from scarceseq.selection.surrogates import gears as surrogate
from scipy import sparse
from smooth_case import GENES, SETTINGS, make_prior, profiles_of, smooth_screen

ROUNDS = RoundSettings(first=6, batch=4, rounds=2, unit="perturbations", draws=1, model="graph_process")
SELECTORS = [name for name in registry.names("selection.selectors") if selector_names.in_rounds(name)]
SPLITS = pd.DataFrame({"split": 0, "perturbation": GENES, "role": np.where(np.arange(30) % 5 == 4, "test", "pool")})
POOL = np.sort(SPLITS.query("role == 'pool'")["perturbation"].to_numpy(dtype=str))
MEMBERS = {"members": 2}


def in_rounds(cells, graph, selectors):
    known = {"gears": {"cells": cells, "settings": SETTINGS | MEMBERS}}
    settings = RankingSettings(1, 1), ROUNDS, 3
    return select_in_rounds("s", selectors, profiles_of(cells), SPLITS, graph, (graph,), settings, 5, known)[0]


def trained(cells, graph, measured, seed):
    """Oracle: the predictor itself, trained on the measured genes."""
    rows = np.flatnonzero(np.isin(GENES, measured))
    delta = profiles_of(cells).to_df().loc[GENES[rows]].to_numpy(dtype=float)
    model = gears.fit(delta, rows, gears.prepare(make_prior(cells, graph, **MEMBERS)), seed)
    return model, delta, np.flatnonzero(np.isin(GENES, POOL))


def test_what_is_learned_are_the_hidden_states_and_predictions_of_the_trained_network():
    cells, graph = smooth_screen()
    measured = np.arange(2, 12)
    model, delta, pool = trained(cells, graph, POOL[measured], 3)
    features = surrogate.prepare(make_prior(cells, graph, **MEMBERS))
    found = surrogate.learn(features, GENES, pool, measured, delta, 3)
    states = gears.hidden_states(model, pool)
    kernel = states @ states.T
    kernel = kernel / kernel.diagonal().max()
    np.testing.assert_allclose(found.kernel, kernel, atol=1e-12)
    np.testing.assert_allclose(found.predicted, gears.ensemble(model, pool).mean(axis=0))
    assert found.noise == min(fit_dual(kernel[np.ix_(measured, measured)], delta - delta.mean(axis=0))[1], RIDGES[-2])
    assert found.genes.tolist() == POOL.tolist()


def test_a_round_on_gears_is_the_selector_by_brute_force_on_its_hidden_states():
    """Oracle: posterior variances of the Gaussian process on the states, by a plain inverse."""
    cells, graph = smooth_screen()
    table = in_rounds(cells, graph, ["bald@gears"])
    assert table["selector"].unique().tolist() == ["bald@gears"]
    for number in (1, 2):
        measured = table.loc[table["round"] < number, "gene"].tolist()
        seed = derive(derive(5, "rounds", "s", "bald@gears", 0, 0, number), "model")
        model, delta, pool = trained(cells, graph, measured, seed)
        states = gears.hidden_states(model, pool)
        kernel = states @ states.T / (states**2).sum(axis=1).max()
        known = np.isin(POOL, measured)
        noise = min(fit_dual(kernel[np.ix_(known, known)], delta - delta.mean(axis=0))[1], RIDGES[-2])
        inner = np.linalg.inv(kernel[np.ix_(known, known)] + noise * np.eye(known.sum()))
        variance = np.diag(kernel - kernel[:, known] @ inner @ kernel[known])
        gain = np.where(known, -1, 0.5 * np.log1p(variance / noise))
        rows = table[table["round"] == number]
        taken = np.searchsorted(POOL, rows["gene"].to_numpy(dtype=str))
        np.testing.assert_allclose(gain[taken], np.sort(gain)[::-1][: len(rows)], atol=2e-6)
        np.testing.assert_allclose(rows["gain"], gain[taken], atol=2e-6)


@pytest.mark.parametrize("name", SELECTORS)
def test_every_selector_in_rounds_runs_on_gears_and_sees_measured_cells_alone(name):
    """Oracle: the same order after the cells of all that is never measured are replaced by others."""
    cells, graph = smooth_screen()
    before = in_rounds(cells, graph, [f"{name}@gears"])
    assert before["round"].tolist() == [0] * 6 + [1] * 4 + [2] * 4
    assert before["gene"].is_unique
    assert set(before["gene"]) <= set(POOL)
    measured = set(before.loc[before["round"] < 2, "gene"])
    never = [1 + index for index, gene in enumerate(GENES) if gene not in measured]
    values = cells.expression.toarray()
    other = np.isin(cells.condition, never)
    values[other] = np.random.default_rng(9).gamma(3, size=(other.sum(), values.shape[1]))
    changed = replace(cells, expression=sparse.csr_matrix(values.astype(np.float32)))
    pd.testing.assert_frame_equal(in_rounds(changed, graph, [f"{name}@gears"]), before)


def test_selectors_on_different_models_start_alike_and_go_apart():
    cells, graph = smooth_screen()
    table = in_rounds(cells, graph, ["bald", "bald@gears"])
    orders = {name: rows["gene"].tolist() for name, rows in table.groupby("selector")}
    assert orders["bald"][:6] == orders["bald@gears"][:6]
    assert orders["bald"] != orders["bald@gears"]
    pd.testing.assert_frame_equal(
        table[table["selector"] == "bald"].reset_index(drop=True), in_rounds(cells, graph, ["bald"])
    )


def test_a_name_is_a_selector_and_the_model_it_names():
    assert selector_names.parts("bald") == ("bald", None)
    assert selector_names.parts("bald@gears") == ("bald", "gears")
    assert selector_names.in_rounds("bald@gears")

"""The full-pool benchmark trains on the pool alone, and its tables show floors, ceilings and what is not defined."""

from dataclasses import replace

import anndata
import numpy as np
import pandas as pd
import pytest
from scarceseq.network.graph import graph_from_edges
from scarceseq.perturbation.calibration import calibrate
from scarceseq.perturbation.evaluate import evaluate
from scarceseq.perturbation.metrics import METRICS
from scarceseq.perturbation.prior import Prior
from scarceseq.perturbation.summary import capabilities, finding, summarise
from scarceseq.screen.splits import split_perturbations
from scarceseq.statistics.intervals import corrected_interval

GENES = [f"G{index:02d}" for index in range(40)]


def make_screen(kind="cells", seed=0):
    generator = np.random.default_rng(seed)
    data = anndata.AnnData(generator.normal(size=(40, 15)).astype(np.float32))
    data.obs_names, data.var_names = GENES, [f"C{column}" for column in range(15)]
    if kind == "cells":
        data.obs["reliability"] = data.obs["reliability_centred"] = 0.6
        data.obs["half_squared_error"] = 1.2
        data.layers["score"] = generator.normal(size=(40, 15))
        data.layers["half_squared_difference"] = np.full((40, 15), 1.2)
    data.uns = {"kind": kind, "transductive": kind == "coordinates"}
    top = {"perturbation": GENES, "gene": [f"C{index % 15}" for index in range(40)], "rank": 1, "rank_non_dropout": 1}
    differential = pd.DataFrame(top)[: 40 if kind == "cells" else 0]
    return {"profiles": data, "differential": differential, "splits": split_perturbations(GENES, 4, 0.2, 1)}


@pytest.fixture
def prior():
    generator = np.random.default_rng(2)
    pairs = {tuple(pair) for pair in generator.integers(40, size=(160, 2)) if pair[0] != pair[1]}
    rows = [(GENES[a], GENES[b], 0.5) for a, b in sorted(pairs)]
    graph = graph_from_edges(pd.DataFrame(rows, columns=["source", "target", "weight"]))
    return Prior(np.array(GENES), np.array([f"C{column}" for column in range(15)]), graph)


def run(screen, prior, predictor="graph_ridge"):
    return evaluate({"screen": "s", "predictor": predictor, "source": "g"}, screen, prior)[0]


def limits(screen):
    return calibrate("s", screen["profiles"], screen["differential"], screen["splits"], seed=1)


def test_each_split_and_metric_has_a_value_a_floor_and_a_ceiling(prior):
    screen = make_screen()
    table = run(screen, prior, "training_mean")
    ran = table[table["status"] == "run"].set_index(["metric", "split"])["value"]
    wide = limits(screen).pivot(index=["metric", "split"], columns="kind", values="value")
    assert {"floor", "ceiling"} < set(wide)
    assert set(wide.index) == set(ran.index)
    np.testing.assert_array_equal(ran.loc[wide.index], wide["floor"])  # the mean of the pool is the floor
    split = screen["splits"][screen["splits"]["split"] == 2].set_index("perturbation")["role"]
    delta = screen["profiles"].to_df().astype(float)
    error = ((delta[split == "test"] - delta[split == "pool"].mean()) ** 2).to_numpy().mean()
    assert wide.loc[("mse", 2), "floor"] == pytest.approx(error)
    assert wide.loc["mse", "ceiling"].tolist() == pytest.approx([0.3] * 4)


def test_nothing_that_is_fitted_sees_test_perturbations(prior, monkeypatch):
    """Oracle: predictions after the measured values of test perturbations are replaced."""
    screen = make_screen()
    test = screen["splits"].query("split == 0 and role == 'test'")["perturbation"]
    one = screen | {"splits": screen["splits"][screen["splits"]["split"] == 0]}
    changed = one | {"profiles": screen["profiles"].copy()}
    rows = np.flatnonzero(np.isin(GENES, test))
    changed["profiles"].X[rows] = np.random.default_rng(0).normal(size=(8, 15))
    seen = []

    def spy(prediction, truth):
        seen.append(prediction.copy())
        return prediction[:, 0]

    monkeypatch.setitem(METRICS, "mse", replace(METRICS["mse"], value=spy))
    run(one, prior)
    run(changed, prior)
    assert len(seen) == 2  # before and after
    np.testing.assert_array_equal(seen[0], seen[1])


def test_a_split_gets_its_own_model_whatever_was_computed_before(prior):
    """No cache serves one split's model to another: each split alone, in any order, gives what all together give."""
    screen = make_screen()
    together = run(screen, prior).dropna(subset="split")
    for split in (3, 0, 2, 1):
        alone = run(screen | {"splits": screen["splits"][screen["splits"]["split"] == split]}, prior)
        own = together[together["split"] == split].reset_index(drop=True)
        pd.testing.assert_frame_equal(alone.dropna(subset="split").reset_index(drop=True), own)


def test_a_graph_of_the_same_name_and_other_edges_gives_another_model(prior):
    first = run(make_screen(), prior)
    edges = [(GENES[i], GENES[(i + 1) % 40], 1.0) for i in range(40)]
    ring = graph_from_edges(pd.DataFrame(edges, columns=["source", "target", "weight"]))
    delta = ring_smooth(make_screen(), ring)
    with_own = run(delta, prior)
    with_ring = run(delta, replace(prior, graph=ring))
    assert not first["value"].equals(with_own["value"])
    assert not with_own["value"].equals(with_ring["value"])
    # and back again: nothing of the ring is left
    pd.testing.assert_frame_equal(run(delta, prior), with_own)


def ring_smooth(screen, ring):
    """The screen with effects that neighbours on a ring share."""
    weights = ring.incoming.toarray() + ring.incoming.toarray().T + np.eye(40)
    smooth = screen["profiles"].copy()
    smooth.X = (weights @ weights @ smooth.X).astype(np.float32)
    return screen | {"profiles": smooth}


def test_what_a_kind_of_screen_cannot_carry_has_a_reason(prior):
    table = run(make_screen("coordinates"), prior)
    missing = table[table["status"] == "not defined"]
    assert set(missing["metric"]) == {name for name, metric in METRICS.items() if "coordinates" in metric.undefined}
    assert missing["reason"].str.len().min() > 10
    bilinear = run(make_screen("coordinates"), prior, "bilinear")
    assert set(bilinear["status"]) == {"not defined"}
    assert bilinear["reason"].str.contains("predictor is not defined").all()
    carried = capabilities({"a": "cells", "b": "coordinates"})
    assert set(carried.loc[carried["defined"] & (carried["screen"] == "b"), "metric"]) == set(
        table.loc[table["status"] == "run", "metric"]
    )


def test_the_summary_is_the_mean_over_splits_with_the_corrected_interval(prior):
    values = pd.concat([run(make_screen(), prior), run(make_screen(), prior, "training_mean")])
    bounds = limits(make_screen())
    table = summarise(values, bounds, 0.9).set_index(["predictor", "metric"])
    row = table.loc[("graph_ridge", "mse")]
    own = values[(values["predictor"] == "graph_ridge") & (values["metric"] == "mse")]
    wide = bounds[bounds["metric"] == "mse"].pivot(index="split", columns="kind", values="value")
    wide["value"] = own.set_index("split")["value"]
    assert [row["mean"], row["low"], row["high"]] == pytest.approx(corrected_interval(wide["value"], 8 / 32, 0.9)[:3])
    ratio = (wide["value"] - wide["floor"]).sum() / (wide["ceiling"] - wide["floor"]).sum()
    assert row["normalised"] == pytest.approx(ratio)
    assert row["normalised_low"] < row["normalised"] < row["normalised_high"]
    assert table.loc[("training_mean", "mse"), "normalised"] == 0
    assert row["relative"] == pytest.approx(wide["value"].sum() / wide["floor"].sum())
    difference = corrected_interval(wide["value"] - wide["floor"], 8 / 32, 0.9)
    assert row["relative_low"] == pytest.approx(1 + difference[1] / wide["floor"].mean())
    assert table.loc[("training_mean", "mse"), ["relative", "relative_low", "relative_high"]].tolist() == [1, 1, 1]
    assert np.isnan(table.loc[("graph_ridge", "pearson_delta"), "relative"])
    assert (table["splits"] == 4).sum() == 2 * sum("cells" not in metric.undefined for metric in METRICS.values())


def squared_errors(rows):
    """Rows of a summary: predictor, source, share of the training mean's squared error with its interval."""
    columns = ["predictor", "source", "relative", "relative_low", "relative_high"]
    return pd.DataFrame(rows, columns=columns).assign(screen="s", metric="mse", splits=10)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (
            [("ridge", "go", 0.5, 0.4, 0.6), ("training_mean", "none", 1, 1, 1), ("ridge", "shuffled", 0.98, 0.9, 1.1)],
            "Screen s: ridge (go) does better than the training mean (squared error saved +50% [+40% to +60%]; 10 "
            "splits). It did best of 1 predictor and was picked for that afterwards. On control graphs the least error "
            "is 0.98 of the training mean's.",
        ),
        (
            [("ridge", "go", 1.0, 0.9, 1.1), ("a_b", "none", 0.97, 0.93, 1.01)],
            "Screen s: whether a b does better than the training mean is undecided (squared error saved +3% [-1% to "
            "+7%]; 10 splits). None of 2 predictors is shown to beat the training mean; it came nearest.",
        ),
        ([("training_mean", "none", 1, 1, 1)], ""),
    ],
)
def test_the_finding_says_what_the_table_shows(rows, words):
    assert finding(squared_errors(rows), {"shuffled"}) == words

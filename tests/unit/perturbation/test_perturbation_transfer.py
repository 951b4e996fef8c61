"""Guided transfer of perturbation models: nothing sees test perturbations, a guide of 0 stops a weight, words fit."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scarceseq.errors import InputError
from scarceseq.perturbation.predictors import gears
from scarceseq.perturbation.settings import TransferSettings
from scarceseq.perturbation.transfer import (
    TUNED,
    Experiment,
    best_rates,
    fine_tune,
    method_rate,
    transfer,
)
from scarceseq.perturbation.transfer_summary import paragraph, summarise_transfer
from scarceseq.statistics.intervals import corrected_interval
from scipy import sparse
from sentence_length import longest_sentence
from smooth_case import GENES, make_prior, screen_of, smooth_screen

SETTINGS = TransferSettings("s", "s", "g", [3], 3, 4, 4, 6, [0.001, 0.01], 1)


def side(cells, graph):
    return screen_of(cells) | {"prior": make_prior(cells, graph)}


@pytest.fixture(scope="module")
def table():
    cells, graph = smooth_screen()
    one = side(cells, graph)
    return transfer("t", one, one, SETTINGS, 5)


def test_every_split_budget_and_method_is_there(table):
    validation, judged = (table[table["role"] == role] for role in ("validation", "judged"))
    assert validation.groupby("method")["learning_rate"].nunique().loc[list(TUNED)].eq(2).all()
    assert judged.groupby(["split", "method", "metric"]).size().eq(1).all()
    assert set(judged["method"]) == {*TUNED, "base", "few_mean"}
    assert sorted(judged["split"].unique()) == [1, 2]
    best = best_rates(validation)
    for row in judged[judged["method"].isin(TUNED)].itertuples():
        assert row.learning_rate == best[row.budget, row.method]


def test_the_mean_of_the_few_is_theirs(table):
    """Oracle: drawn again, by hand."""
    cells, graph = smooth_screen()
    one = side(cells, graph)
    profiles, splits = one["profiles"].to_df().astype(float), one["splits"].query("split == 2")
    from scarceseq.seeds import derive

    own = derive(5, "transfer", "t", 2)
    pool = np.flatnonzero(profiles.index.isin(splits.query("role == 'pool'")["perturbation"]))
    order = np.random.default_rng(derive(own, "few")).permutation(pool)
    few = order[len(order) // 2 :][:3]
    tested = profiles[profiles.index.isin(splits.query("role == 'test'")["perturbation"])]
    expected = ((tested - profiles.iloc[few].mean()) ** 2).to_numpy().mean()
    found = table.query("split == 2 and method == 'few_mean' and metric == 'mse'")["value"].item()
    assert found == pytest.approx(expected, rel=1e-6)


def test_test_perturbations_have_no_influence_on_predictions():
    cells, graph = smooth_screen()
    splits = screen_of(cells)["splits"]
    names = screen_of(cells)["profiles"].obs_names
    test = np.flatnonzero(names.isin(splits.query("split == 0 and role == 'test'")["perturbation"]))
    pool = np.setdiff1d(np.arange(len(names)), test)
    values = cells.expression.toarray()
    hidden = np.isin(cells.condition, 1 + test)
    values[hidden] = np.random.default_rng(3).gamma(3, size=(hidden.sum(), values.shape[1]))
    found = []
    for own in (cells, replace(cells, expression=sparse.csr_matrix(values))):
        experiment, seen = Experiment(side(own, graph), side(own, graph), SETTINGS), []
        experiment.predict = lambda network, rows, seen=seen: (
            seen.append(network.predict(torch.from_numpy(1 + rows))[0].double().numpy()) or seen[-1]
        )
        experiment.split(pool, test, names.to_numpy(dtype=str), 7, {})
        found.append(seen)
    assert len(found[0]) == 3  # no training, from scratch, all others side by side
    for first, second in zip(*found, strict=True):
        np.testing.assert_array_equal(first, second)


def test_another_screen_lends_no_perturbation_that_is_tested():
    cells, graph = smooth_screen()
    other = side(smooth_screen(seed=4)[0], graph)
    fewer = replace(other["prior"], perturbations=GENES[:28], cells=first_conditions(other["prior"].cells, 29))
    other = other | {"prior": fewer}
    experiment, seen = Experiment(other, side(cells, graph), replace(SETTINGS, source="o")), []
    names, test = GENES, np.arange(24, 30)

    def spy(base, known, seed):
        seen.append(known)
        return Experiment.guide(experiment, base, known, seed)

    experiment.guide = spy
    experiment.split(np.arange(24), test, names, 7, {})
    assert seen[0].tolist() == list(range(24))


def first_conditions(cells, count):
    """Cells of the first conditions."""
    kept = cells.condition < count
    return replace(cells, expression=cells.expression[kept], condition=cells.condition[kept], batch=cells.batch[kept])


def trained_pair(rates):
    """Base, and a copy after fine-tuning with these rates."""
    cells, graph = smooth_screen()
    experiment = Experiment(side(cells, graph), side(cells, graph), SETTINGS)
    base = gears.fit(np.zeros((12, 1)), np.arange(12), experiment.features)
    network = experiment.copies(base, 2)
    start = {name: values.detach().clone() for name, values in network.named_parameters()}
    rows = np.tile(np.arange(13, 17), (2, 1))
    fine_tune(network, experiment.batches(experiment.new), rows, rates(start), np.array([0.01, 0.01]), 5)
    return start, dict(network.named_parameters()), experiment, base


def test_a_weight_with_a_guide_of_0_stays_and_the_others_move():
    frozen = "cross_mlp.first.weight"
    rates = lambda start: {  # noqa: E731
        name: torch.zeros_like(values) if name == frozen else torch.ones_like(values) for name, values in start.items()
    }
    start, final, *_ = trained_pair(rates)
    assert torch.equal(start[frozen], final[frozen])
    assert not torch.equal(start["recovery.first.weight"], final["recovery.first.weight"])


def test_networks_side_by_side_are_fine_tuned_as_each_alone():
    slow = lambda start: {  # noqa: E731
        name: torch.stack([torch.ones_like(values[0]), 0.1 * torch.ones_like(values[1])])
        for name, values in start.items()
    }
    _, together, experiment, base = trained_pair(slow)
    for member, rate in enumerate((1.0, 0.1)):
        network = experiment.copies(base, 1)
        rates = {name: torch.full_like(values, rate) for name, values in network.named_parameters()}
        rows = np.arange(13, 17)[None]
        fine_tune(network, experiment.batches(experiment.new), rows, rates, np.array([0.01]), 5)
        moved = network.get_parameter("recovery.second.weight")[0]
        torch.testing.assert_close(together["recovery.second.weight"][member], moved, atol=2e-4, rtol=1e-3)


def test_the_guide_is_the_scaled_mean_of_squared_displacements():
    cells, graph = smooth_screen()
    experiment = Experiment(side(cells, graph), side(cells, graph), SETTINGS)
    base = gears.fit(np.zeros((12, 1)), np.arange(12), experiment.features)
    guide = experiment.guide(base, np.arange(12), 3)
    for name, values in base.network.named_parameters():
        assert guide[name].shape == values[0].shape
        assert float(guide[name].min()) >= 0
        assert float(guide[name].max()) <= 1
    assert float(guide["recovery.first.weight"].max()) == 1
    nodes = guide["perturbation_embedding"]
    assert torch.equal(nodes[0], nodes[-1])


def test_controls_keep_means_and_values_of_the_guide():
    guide = {"a": torch.tensor([[0.0, 1.0], [0.5, 0.1]]), "b": torch.tensor([0.2, 0.4])}
    assert method_rate("plain", guide, 0)["a"].eq(1).all()
    assert method_rate("scalar_mean", guide, 0)["b"].tolist() == pytest.approx([2.2 / 6] * 2)
    assert method_rate("tensor_mean", guide, 0)["a"].flatten().tolist() == pytest.approx([0.4] * 4)
    permuted = method_rate("permuted", guide, 0)
    assert sorted(permuted["a"].flatten().tolist()) == sorted(guide["a"].flatten().tolist())
    assert method_rate("guided", guide, 0)["a"] is guide["a"]


def constructed(gains, noise=0.001):
    """Judged rows in which methods differ from plain by so much."""
    generator, rows = np.random.default_rng(0), []
    methods = dict.fromkeys([*TUNED, "base", "few_mean"], 0.0) | gains
    for split in range(8):
        for method, gain in methods.items():
            value = 1 + gain + noise * generator.normal()
            about = {"transfer": "t", "split": split, "role": "judged", "pool": 80, "test": 20, "budget": 5}
            rows.append(about | {"method": method, "learning_rate": 1.0, "metric": "mse", "value": value})
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("gains", "noise", "words"),
    [
        (
            {"guided": -0.2},
            0.001,
            "So the guide beats plain fine-tuning and the controls that keep its mean alone, at every budget.",
        ),
        (
            {"guided": -0.2, "scalar_mean": -0.2},
            0.001,
            "but not the controls that keep its mean alone everywhere: a lower learning rate explains as much.",
        ),
        ({"guided": 0.2}, 0.001, "So the guide is worse than plain fine-tuning at some budget."),
        ({}, 0.3, "So no difference between guided and plain fine-tuning is shown."),
    ],
)
def test_the_sentence_says_what_the_table_shows(gains, noise, words):
    table = constructed(gains, noise)
    summary = summarise_transfer(table, 0.95)
    text = paragraph(summary)
    assert text.startswith("Transfer t, 8 splits of one screen. Guided fine-tuning against plain fine-tuning, 1 comp")
    assert words in text
    assert ("not shown to beat the plain mean of the few" in text) == (gains.get("guided", 0) >= 0)
    assert longest_sentence(text) <= 40
    wide = table.pivot(index="split", columns="method", values="value")
    row = summary[(summary["kind"] == "primary") & (summary["against"] == "plain")].iloc[0]
    assert row[["mean", "low", "high"]].tolist() == pytest.approx(
        corrected_interval(wide["guided"] - wide["plain"], 0.25, 0.95)[:3]
    )


def test_outcomes_look_at_the_direction_of_gains():
    summary = summarise_transfer(constructed({"guided": -0.2, "few_mean": 0.1}), 0.95)
    found = summary[summary["method"] == "guided"].set_index("against")["outcome"]
    assert found[["plain", "few_mean"]].tolist() == ["better", "better"]
    worse = summarise_transfer(constructed({"guided": 0.2}), 0.95)
    assert set(worse.loc[worse["method"].eq("guided") & worse["against"].notna(), "outcome"]) == {"worse"}
    unclear = summarise_transfer(constructed({}, 0.3), 0.95)
    assert set(unclear["outcome"].dropna()) == {"undecided"}


def test_too_few_splits_or_perturbations_are_refused():
    cells, graph = smooth_screen()
    one = side(cells, graph)
    with pytest.raises(InputError, match="3 splits leave none to judge"):
        transfer("t", one, one, replace(SETTINGS, validation_splits=3), 5)
    with pytest.raises(InputError, match="a budget of 20 of 11 perturbations"):
        transfer("t", one, one, replace(SETTINGS, budgets=[20]), 5)

"""Left-out missions by gene sets, against pandas and scikit-learn, and nothing of a left-out mission in training."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks" / "tools"))

import spaceflight_fits as fits
import spaceflight_scores as scoring
from scarceseq.errors import InputError
from spaceflight_tables import CONTROL, FLIGHT, NO_CLASS, Table, common_sets, read_tables, without

SETS = [f"set{number}" for number in range(30)]
LEFT_OUT = frozenset(["M1"])


def made_table(tissue, mission, seed):
    generator = np.random.default_rng(seed)
    classes = np.array([FLIGHT] * 6 + [CONTROL] * 6 + [NO_CLASS] * 4)
    values = generator.normal(size=(16, 30))
    values[classes == FLIGHT, :5] += 1.0
    scores = pd.DataFrame(values, [f"{mission}_{number}" for number in range(16)], SETS)
    return Table(f"{tissue}_{mission}", tissue, mission, mission, scores, classes, classes == NO_CLASS)


@pytest.fixture
def tables():
    places = [(tissue, mission) for tissue in ("liver", "eye") for mission in ("M1", "M2", "M3", "M4")]
    return [made_table(*place, seed) for seed, place in enumerate(places)]


def spoilt(table):
    """Other values, other classes."""
    return replace(table, scores=-7 * table.scores + 3, classes=table.classes[::-1].copy(), basal=~table.basal)


def predictions_of(method, tables, asked):
    if method in fits.CLASSIFIERS:
        return fits.classify(method, tables, LEFT_OUT, asked, fits.options(method), 1)["flight"].to_numpy()
    chosen = {method: fits.options(method)[:2]}
    return fits.network_predictions(tables, LEFT_OUT, asked, chosen, 1)["flight"].to_numpy()


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(fits, "PRETRAINING", replace(fits.PRETRAINING, steps=20, hidden_widths=(8,), width=4))
    monkeypatch.setattr(fits, "SCOUTS", replace(fits.SCOUTS, minimum_held_out_accuracy=0.0))


@pytest.mark.parametrize("method", [*fits.CLASSIFIERS, "guided", "full_fine_tuning"])
def test_a_mission_left_out_is_in_nothing_that_trains(tables, short, method):
    asked = fits.asked_tables(tables, LEFT_OUT, LEFT_OUT)
    assert {table.mission for table in asked} == {"M1"}
    before = predictions_of(method, tables, asked)
    with_others_spoilt = [spoilt(table) if table.mission == "M1" else table for table in tables]
    np.testing.assert_array_equal(predictions_of(method, with_others_spoilt, asked), before)
    trained_on_other = [spoilt(table) if table.mission == "M2" else table for table in tables]
    assert not np.array_equal(predictions_of(method, trained_on_other, asked), before)


def test_scouts_and_gene_sets_come_from_training_tables(tables):
    training = without(tables, LEFT_OUT)
    assert {table.mission for table in training} == {"M2", "M3", "M4"}
    alone = replace(tables[0], scores=tables[0].scores.assign(new=1.0))
    assert common_sets(without([alone, *tables[1:]], LEFT_OUT)) == sorted(SETS)
    tasks = fits.scout_tasks(training, SETS)
    used = np.concatenate([np.concatenate([task.train_expression, task.held_out_expression]) for task in tasks])
    left = {row.tobytes() for table in tables if table.mission == "M1" for row in table.values(SETS)}
    assert len(used) > 0
    assert not left & {row.tobytes() for row in used}


def test_a_choice_does_not_see_the_group_it_is_made_for(tables):
    pairs = [frozenset(pair) for pair in (("M1", "M2"), ("M1", "M3"), ("M1", "M4"), ("M2", "M3"))]
    options = fits.options("ridge")
    inner = {
        pair: fits.classify("ridge", tables, pair, fits.asked_tables(tables, pair, pair), options, 1) for pair in pairs
    }
    turned = {
        pair: table.assign(flight=np.where(table["group"] == "M1", 1 - table["class"], table["flight"]))
        for pair, table in inner.items()
    }
    assert scoring.choose(turned, "M1", "ridge", options) == scoring.choose(inner, "M1", "ridge", options)
    # a candidate that alone is right in the other groups is chosen
    wanted = options[4]
    right = {
        pair: table.assign(
            flight=np.where(
                (table["candidate"] == wanted[0]) & (table["scope"] == wanted[1]), table["class"], 1 - table["class"]
            )
        )
        for pair, table in inner.items()
    }
    assert scoring.choose(right, "M1", "ridge", options) == wanted


def test_areas_are_those_of_scikit_learn(tables):
    asked = fits.asked_tables(tables, LEFT_OUT, LEFT_OUT)
    rows = fits.classify("nearest_centroid", tables, LEFT_OUT, asked, [(0.0, "tissue")], 1)
    rows["flight"] = rows["flight"].round(2)  # ties
    for row in scoring.areas(rows).itertuples():
        part = rows[rows["table"] == row.table]
        assert row.auroc == pytest.approx(roc_auc_score(part["class"], part["flight"]))
        assert (row.samples, row.flight) == (12, 6)


def test_the_average_is_that_of_ranks(tables):
    asked = fits.asked_tables(tables, LEFT_OUT, LEFT_OUT)
    members = ("ridge", "nearest_centroid")
    rows = [fits.classify(method, tables, LEFT_OUT, asked, fits.options(method)[:1], 1) for method in members]
    found = scoring.averaged(pd.concat(rows), members, (1, 2)).query("method == 'average' and seed == 2")
    for name, part in found.groupby("table"):
        ranks = [stats.rankdata(table.loc[table["table"] == name].sort_values("sample")["flight"]) for table in rows]
        np.testing.assert_allclose(part.sort_values("sample")["flight"], np.mean(ranks, axis=0) / 12)


def test_the_jackknife_over_groups_is_the_t_interval_where_each_group_has_one_mission():
    values = pd.Series(
        [0.5, 0.9, 0.7, 0.6],
        pd.MultiIndex.from_tuples([("eye", g, g) for g in "abcd"], names=["tissue", "group", "mission"]),
    )
    expected = stats.t.interval(0.95, 3, values.mean(), stats.sem(values))
    assert scoring.jackknife(values)[1:] == pytest.approx(expected)
    assert scoring.t_interval(values)[1:] == pytest.approx(expected)


def test_tables_that_are_not_there_are_said_to_be_missing(tmp_path):
    with pytest.raises(InputError, match="no tables of gene sets"):
        read_tables(tmp_path)


def by_hand(folder, name):
    """z-scores and flight (1) or control (0) of one table, with pandas alone."""
    scores = pd.read_csv(folder / name / "expr.tsv.gz", sep="\t", index_col=0)
    labels = pd.read_csv(folder / name / "samples.tsv", sep="\t", index_col=0, dtype=str)["label"]
    scores = scores.sub(scores.mean(axis=1), axis=0).div(scores.std(axis=1), axis=0)
    labelled = [sample for sample in scores if labels[sample] in ("Flight", "GC", "VC")]
    return scores[labelled].T, (labels[labelled] == "Flight").to_numpy(int)


def test_ridge_on_a_real_mission_is_that_of_scikit_learn(shared_data):
    folder = Path(shared_data) / "studies/genesets"
    real = read_tables(folder)
    left_out = frozenset(["RR-6"])
    asked = [table for table in real if table.name == "thymus_RR-6"]
    rows = fits.classify("ridge", real, left_out, asked, [(10.0, "tissue")], 1)

    training = [by_hand(folder, name) for name in ("thymus_MHU-1", "thymus_MHU-2", "thymus_RR-9")]
    query, truth = by_hand(folder, "thymus_RR-6")
    sets = common_sets(without(real, left_out))
    values = np.concatenate([table.reindex(columns=sets).fillna(0).to_numpy() for table, _ in training])
    classes = np.concatenate([labels for _, labels in training])
    centre = (values[classes == 0].mean(axis=0) + values[classes == 1].mean(axis=0)) / 2
    weight = len(classes) / 2 / np.bincount(classes)[classes]
    penalty = 10.0 * ((values - centre) ** 2).sum() / len(values)
    model = Ridge(penalty, fit_intercept=False).fit(values - centre, classes - 0.5, weight)
    fitted = model.predict(query.reindex(columns=sets).fillna(0).to_numpy() - centre)
    assert list(rows["class"]) == list(truth)
    assert list(rows["sample"]) == list(query.index)
    np.testing.assert_allclose(rows["flight"], 1 / (1 + np.exp(-2 * fitted)), rtol=1e-4)
    assert scoring.areas(rows)["auroc"][0] == pytest.approx(roc_auc_score(truth, fitted))


def test_missions_that_share_animals_or_a_table_are_left_out_together(shared_data):
    real = read_tables(Path(shared_data) / "studies/genesets")
    assert len(real) == 23
    assert len({table.group for table in real}) == 8
    numbers = {name: set() for name in ("eye_RR-1", "eye_TBD")}
    for table in real:
        if table.name in numbers:
            numbers[table.name] = {sample.rpartition("_")[2] for sample in table.scores.index}
    assert len(numbers["eye_RR-1"] & numbers["eye_TBD"]) > 5
    assert {table.group for table in real if table.name in numbers} == {"RR-1"}
    assert {table.group for table in real if table.mission in ("MHU-1", "MHU-2")} == {"MHU-2"}

"""Strata of perturbations. Oracles: networkx for links, loops over single perturbations, the training mean itself."""

import networkx
import numpy as np
import pandas as pd
import pytest
from scarceseq.perturbation.evaluate import evaluate
from scarceseq.perturbation.prior import Prior
from scarceseq.perturbation.strata import difficulty, stratify, strength, strongest_link, summarise_strata
from scarceseq.perturbation.summary import summarise
from scarceseq.report.strata import arranged
from smooth_case import COLUMNS, GENES, screen_of, smooth_screen


@pytest.fixture(scope="module")
def case():
    cells, graph = smooth_screen()
    screen = screen_of(cells)
    # a third of the effects is weak, a shift common to the others makes the mean good
    screen["profiles"].X[:20] += 3
    screen["profiles"].X[20:] /= 5
    return screen, graph


def errors_of(screen, graph, predictor, source):
    identity = {"screen": "s", "predictor": predictor, "source": source}
    return evaluate(identity, screen, Prior(GENES, COLUMNS, graph))


def strata_of(screen, graph):
    return stratify("s", screen["profiles"], screen["splits"], {"g": graph})


def test_links_are_those_that_networkx_has():
    generator = np.random.default_rng(1)
    _, graph = smooth_screen()
    graph.incoming.data[:] = generator.uniform(0.1, 1, len(graph.incoming.data))
    theirs = networkx.DiGraph()
    rows, columns = graph.incoming.nonzero()
    for row, column in zip(rows, columns, strict=True):
        theirs.add_edge(graph.nodes[column], graph.nodes[row], weight=graph.incoming[row, column])
    measured = GENES[[3, 4, 10, 11]]
    expected = []
    for gene in GENES:
        pairs = [pair for other in measured for pair in ((gene, other), (other, gene)) if theirs.has_edge(*pair)]
        expected.append(max((theirs.edges[pair]["weight"] for pair in pairs), default=0.0))
    found = strongest_link(graph, np.append(GENES, "unheard of"), measured)
    assert found.tolist() == pytest.approx([*expected, 0.0])
    assert len(set(expected)) > 5


def test_difficulty_and_strength_of_single_perturbations():
    delta = np.array([[1.0, 1], [1.1, 0.9], [0.9, 1.2], [-0.3, -0.3], [0, 0], [1.6, -0.1]])
    expected = []
    for row in range(6):
        others = np.delete(delta, row, axis=0).mean(axis=0)
        unchanged, left = (delta[row] ** 2).mean(), ((delta[row] - others) ** 2).mean()
        share = left / unchanged if unchanged else np.inf
        expected.append("baseline-solved" if share <= 0.5 else "intermediate" if share < 1 else "resistant")
    assert difficulty(delta, np.ones((6, 2), dtype=bool)).tolist() == expected
    assert len(set(expected)) == 3
    mask = np.ones((4, 2), dtype=bool)
    mask[0, 1] = False  # the perturbed gene itself
    values = np.array([[1.0, 9], [2, 2], [3, 3], [4, 4]])
    assert strength(values, mask, 0.0).tolist() == ["weak", "weak", "strong", "strong"]
    assert strength(values, mask, np.array([0, 0, 9.0, 0])).tolist() == ["weak", "strong", "weak", "strong"]


def test_the_training_mean_is_at_1_in_every_stratum_and_wins_half(case):
    screen, graph = case
    _, errors = errors_of(screen, graph, "training_mean", "none")
    table = summarise_strata(errors, strata_of(screen, graph), 0.95)
    assert set(zip(table["by"], table["graph"], strict=True)) == {
        ("difficulty", "none"),
        ("strength", "none"),
        ("graph", "g"),
    }
    assert table[["relative", "relative_low", "relative_high"]].to_numpy() == pytest.approx(1)
    assert (table["wins"] == 0.5).all()
    assert len(set(table["stratum"])) >= 4


def test_strata_add_up_to_the_whole_and_hold_the_perturbations_they_name(case):
    screen, graph = case
    values, errors = errors_of(screen, graph, "graph_ridge", "g")
    strata = strata_of(screen, graph)
    table = summarise_strata(errors, strata, 0.95)
    both = errors.merge(strata, on=["screen", "split", "perturbation"])
    for by, part in both.groupby("by"):
        assert len(part) == len(errors)
        own = table[table["by"] == by].set_index("stratum")
        for stratum, rows in part.groupby("stratum"):
            each = [(g["error"].mean(), g["floor"].mean()) for _, g in rows.groupby("split")]
            error, floor = np.mean(each, axis=0)
            assert own.loc[stratum, "relative"] == pytest.approx(error / floor)
            assert own.loc[stratum, "perturbations"] == len(set(rows["perturbation"]))
            assert own.loc[stratum, "wins"] == pytest.approx((rows["error"] < rows["floor"]).mean())
        assert part["error"].mean() == pytest.approx(values.loc[values["metric"] == "mse", "value"].mean())
    calibration = both.drop_duplicates(["split", "perturbation"]).groupby("split")["floor"].mean()
    bounds = pd.DataFrame({"screen": "s", "split": calibration.index, "metric": "mse", "kind": "floor"})
    bounds = pd.concat([bounds.assign(value=calibration.to_numpy()), bounds.assign(kind="ceiling", value=np.nan)])
    whole = summarise(values[values["metric"] == "mse"], bounds, 0.95)["relative"].iloc[0]
    assert min(table["relative"]) <= whole <= max(table["relative"])


def test_a_predictor_on_a_graph_is_divided_by_that_graph_alone(case):
    screen, graph = case
    errors = pd.concat(
        [errors_of(screen, graph, "graph_ridge", "g")[1], errors_of(screen, graph, "control", "none")[1]]
    )
    strata = stratify("s", screen["profiles"], screen["splits"], {"g": graph, "other": graph})
    table = summarise_strata(errors, strata, 0.95)
    graphs = table[table["by"] == "graph"].groupby("predictor")["graph"].agg(set).to_dict()
    assert graphs == {"graph_ridge": {"g"}, "control": {"g", "other"}}
    shown = arranged(table)
    assert {"near in g", "resistant", "strong"} <= set(shown.columns)
    assert "], n = " in shown.set_index("predictor").loc["graph ridge (g)", "strong"]

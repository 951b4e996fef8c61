"""Share of the room and equivalent random budget: curves of known form. Three tasks: who is given which names."""

import numpy as np
import pandas as pd
import pytest
from scarceseq.config import selector_names
from scarceseq.network.graph import graph_from_edges
from scarceseq.report.worth import shown, tasks
from scarceseq.selection.evidence import Evidence
from scarceseq.selection.kernels import gene_kernel
from scarceseq.selection.rankings import rank_perturbations
from scarceseq.selection.scores import per_split, with_areas
from scarceseq.selection.selector import ranker
from scarceseq.selection.settings import RankingSettings
from scarceseq.selection.worth import as_random, worth
from scarceseq.statistics.intervals import corrected_interval

GENES = [f"G{place:02d}" for place in range(20)]
ONE = RankingSettings(2, 1)


def curves(speed, metric="mse", budgets=(10, 20, 40, 80), splits=4):
    """Scores in which a choice of b perturbations is worth speed * b random ones, on a curve linear in b."""
    sign = -1 if metric == "mse" else 1
    rows = []
    for selector, factor in (("random", 1.0), ("v_optimal", speed)):
        for split in range(splits):
            for budget in budgets:
                reached = 0.01 * (1 + split) * min(factor * budget, 80)
                about = {"screen": "s", "graph": "g", "selector": selector, "predictor": "p", "metric": metric}
                about |= {"transductive": False, "pool": 80, "test": 20, "split": split, "draw": 0, "model_seed": 0}
                rows.append(about | {"round": 0, "budget": budget, "budget_share": budget / 80})
                rows[-1] |= {"value": 9 + sign * reached, "floor": 9.0, "ceiling": np.nan}
    return with_areas(per_split(pd.DataFrame(rows)))


@pytest.mark.parametrize("metric", ["mse", "pearson_delta"])
def test_a_choice_worth_twice_as_many_random_ones_says_so(metric):
    table = worth(curves(2.0, metric), 0.95).set_index("budget")
    assert table["equivalent"].to_dict() == pytest.approx({10: 20, 20: 40, 40: 80})
    assert (table["equivalent_high"] - table["equivalent_low"]).abs().max() < 1e-9
    # (2b - b) / (80 - b)
    assert table["share"].to_dict() == pytest.approx({10: 10 / 70, 20: 20 / 60, 40: 1.0})
    gained = [0.01 * (1 + split) * 20 for split in range(4)]
    low = corrected_interval(gained, 20 / 80, 0.95)[1] / np.mean([0.01 * (1 + split) * 60 for split in range(4)])
    assert table.loc[20, "share_low"] == pytest.approx(low)
    assert table["names_used"].unique().tolist() == ["tests"]


def test_a_choice_worse_than_random_is_held_at_the_smallest_budget_and_its_share_is_negative():
    table = worth(curves(0.5), 0.95).set_index("budget")
    assert table["equivalent"].to_dict() == pytest.approx({10: 10, 20: 10, 40: 20})
    assert (table["share"] < 0).all()


def test_a_random_curve_that_goes_up_and_down_is_made_monotone():
    """By hand: 3, 1, 2 becomes 3, 1.5, 1.5 (pool of adjacent violators)."""
    curve = pd.Series({10: 3.0, 20: 1.0, 40: 2.0, 80: 0.0})
    assert as_random(curve, 2.25) == pytest.approx(15)
    assert as_random(curve, 0.75) == pytest.approx(60)
    assert (as_random(curve, 5.0), as_random(curve, -1.0)) == (10, 80)


def test_the_report_says_who_knew_what():
    table = worth(curves(2.0), 0.95)
    more = table.assign(selector="reach", names_used="none")
    text = tasks(pd.concat([table, more, table.assign(selector="herding@list", names_used="list")]))
    assert "V optimal: know the names of the perturbations to be predicted" in text
    assert "each: know the names of what may be chosen alone" in text
    assert text.index("named test set") < text.index("rest of my list") < text.index("genes not named")
    assert shown(table)["equivalent random budget"].tolist()[0] == "20 [20, 20]"


@pytest.fixture(scope="module")
def graph():
    generator = np.random.default_rng(3)
    pairs = {tuple(pair) for pair in generator.integers(20, size=(60, 2)) if pair[0] != pair[1]}
    rows = [(GENES[a], GENES[b], round(generator.uniform(0.1, 1), 2)) for a, b in sorted(pairs)]
    return graph_from_edges(pd.DataFrame(rows, columns=["source", "target", "weight"]))


def test_who_does_not_say_that_it_uses_names_of_test_genes_is_not_given_them(graph):
    """Ranked where test genes are named differently: those that declare nothing choose alike, the others do not."""
    tests = GENES[14:17], GENES[17:20]
    changed = {}
    for name in selector_names.one_shot():
        orders = []
        for named in tests:
            rows = [(0, gene, "pool") for gene in GENES[:14]] + [(0, gene, "test") for gene in named]
            splits = pd.DataFrame(rows, columns=["split", "perturbation", "role"])
            given = graph if "graph" in selector_names.declared(name, "NEEDS") else None
            orders.append(rank_perturbations("s", [name], splits, given, (graph,), ONE, 5)[0]["gene"].tolist())
        changed[name] = orders[0] != orders[1]
    used = {name for name in changed if selector_names.names_used(name) != "none"}
    assert used == {"v_optimal", "v_optimal@list", "herding", "herding@list", "reach@tests"}
    assert {name for name, differs in changed.items() if differs} <= used
    assert changed["v_optimal"]
    assert changed["herding"]


def test_choices_for_the_rest_of_a_list_do_not_know_which_of_it_is_tested(graph):
    """Oracle for V-optimal: posterior variance of all genes of the list by solving the whole system."""
    evidence = Evidence(ONE, graph, tuple(GENES[14:]))
    kernel = gene_kernel(graph, np.array(GENES, dtype=object))
    order, gains = ranker("v_optimal@list")(GENES[:14], evidence, budget=1)
    taken = (kernel[:, :14] ** 2).sum(axis=0) / (np.diag(kernel)[:14] + 1.0)
    assert gains[0] == pytest.approx(taken.max(), abs=1e-4)
    assert taken[GENES.index(order[0])] == pytest.approx(taken.max(), abs=1e-4)
    for name in ("v_optimal@pool", "herding@pool"):
        nobody = ranker(name)(GENES[:14], Evidence(ONE, graph, ()))[0].tolist()
        assert ranker(name)(GENES[:14], evidence)[0].tolist() == nobody
        assert ranker(name.partition("@")[0])(GENES[:14], Evidence(ONE, graph, ()))[0].tolist() == nobody

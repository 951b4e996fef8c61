"""The tool that pools the real studies, on constructed scores whose differences are known."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks" / "tools"))

import real_studies
import real_studies_page
import real_studies_within


def scores(gains, series=8, k=(2, 3), label="biological_1", noise=0.01):
    """Balanced accuracies: 0.7 for ridge on logarithms; a gain for the others, more and less in turn by the noise."""
    rows = []
    for number in range(series):
        for shot in k:
            for episode in range(4):
                for method, gain in {"ridge@logs": 0, **gains}.items():
                    value = 0.7 + gain + (noise * (-1) ** number if method != "ridge@logs" else 0)
                    place = ("mouse", f"mouse fold{number % 5}", f"mouse s{number}", f"s{number} {label}", label)
                    rows.append((*place, shot, episode, 1, method, value))
    names = ["organism", "fold", "series", "task", "label", "k", "episode", "seed", "method", "value"]
    return pd.DataFrame(rows, columns=names)


def test_differences_are_those_that_were_put_in():
    table = real_studies.pooled(
        scores({"ridge@genes": -0.1, "logistic@logs": 0.0}), ["ridge@logs", "ridge@genes", "logistic@logs"]
    )
    row = real_studies_page.chosen(table, "mouse", "2 and 3", "ridge@genes", "ridge@logs")
    assert row.difference == pytest.approx(-0.1, abs=0.01)
    assert (row.outcome, row.series, row.tasks) == ("worse", 8, 16)
    assert real_studies_page.chosen(table, "mouse", "3", "logistic@logs", "ridge@logs").outcome == "no difference"


def test_a_method_that_sees_no_network_goes_with_every_seed_of_the_other():
    guided = scores({"guided@global": 0.1}, noise=0)
    second = guided[guided["method"] == "guided@global"].assign(seed=2, value=lambda table: table["value"] + 0.02)
    found = real_studies.differences(pd.concat([guided, second]), "guided@global", "ridge@logs")
    assert found.groupby("seed")["value"].mean().to_dict() == pytest.approx({1: 0.1, 2: 0.12})


def test_a_difference_is_the_mean_over_the_seeds_that_all_series_have():
    guided = scores({"guided@per_tensor": 0.1}, noise=0)
    # Seed 2 gives 0.2 less; seed 3, of one series alone, is left out.
    added = [guided.assign(seed=2), guided[guided["series"] == "mouse s0"].assign(seed=3, value=0.0)]
    added[0]["value"] -= 0.2 * (added[0]["method"] == "guided@per_tensor")
    found = real_studies.pooled(pd.concat([guided, *added]), ["ridge@logs", "guided@per_tensor"])
    row = real_studies_page.chosen(found, "mouse", "2 and 3", "guided@per_tensor", "ridge@logs")
    assert (row.difference, row.seed_low, row.seed_high) == pytest.approx((0.0, -0.1, 0.1))
    assert row.seeds == 2
    assert "by one of 2 seeds -0.100 to +0.100" in real_studies_page.primary(found)


def test_both_organisms_are_pooled_only_where_both_were_run():
    mouse, human = scores({"ridge@genes": 0.1, "guided@per_tensor": 0.1}), scores({"ridge@genes": 0.2})
    human = human.assign(organism="human", series=human["series"].str.replace("mouse", "human"))
    methods = ["ridge@logs", "ridge@genes", "guided@per_tensor"]
    table = real_studies.pooled(pd.concat([mouse, human]), methods)
    pooled_in = table.groupby("method")["organism"].unique().map(set)
    assert pooled_in["ridge@genes"] == {"mouse", "human", "both"}
    assert pooled_in["guided@per_tensor"] == {"mouse"}
    row = real_studies_page.chosen(table, "both", "2 and 3", "ridge@genes", "ridge@logs")
    assert (row.difference, row.series) == (pytest.approx(0.15), 16)
    assert real_studies_page.seeds(table) == "Seeds: mouse 1 of 5. A claim about guides needs all."
    assert "guides on human studies" in real_studies_page.missing(table, ["ridge@genes"])
    assert "added methods" not in real_studies_page.missing(table, ["ridge@genes"])
    assert "added methods" in real_studies_page.missing(table, ["ridge@whitened"])
    assert real_studies_page.post_hoc(table, ["ridge@genes"]) == "- Post hoc: `ridge@genes`.\n"
    assert real_studies_page.post_hoc(table, ["ridge@whitened"]) == ""


def test_learning_rates_at_the_edge_of_the_grid_are_counted():
    tuned = pd.DataFrame(
        {
            "label": "guided",
            "method": ["guided@per_tensor"] * 3 + ["mean_rate@per_tensor"] * 3 + ["linear_probe"],
            "candidate": ["0.1", "0.01", "1e-05", "0.1", "0.1", "0.001", "0.1"],
            "steps": 100,
            "seed": [1, 2, 3, 1, 2, 3, 1],
        }
    )
    assert real_studies.at_the_edge(tuned).to_numpy().tolist() == [[1, 1, 3], [0, 2, 3]]
    assert real_studies_page.edges(real_studies.at_the_edge(tuned)) == (
        "Of six learning rates, in 3 cells (fold, seed, k): `guided@per_tensor` the smallest in 1 and the largest "
        "in 1, `mean_rate@per_tensor` the smallest in 0 and the largest in 2."
    )


@pytest.mark.parametrize("organism", ["mouse", "human"])
def test_the_edges_are_those_of_the_configs(request, organism):
    fewshot = yaml.safe_load((request.config.rootpath / f"config/real_studies_{organism}.yaml").read_text())["fewshot"]
    rates = fewshot["fitting"]["candidates"]["learning_rate"]
    assert (min(rates), max(rates)) == (real_studies.SMALLEST_RATE, real_studies.LARGEST_RATE)
    assert set(real_studies.ADDED) < set(fewshot["methods"])


def test_minutes_of_a_run_are_the_sum_over_its_jobs(tmp_path):
    for name, seconds in (("one", 90), ("two", 30)):
        (tmp_path / "benchmarks" / name).mkdir(parents=True)
        (tmp_path / "benchmarks" / name / "all.tsv").write_text(f"s\tcpu_time\n200\t{seconds}\n")
    assert real_studies.minutes(tmp_path) == 2


def test_the_champion_of_a_fold_is_chosen_on_its_validation_series_alone():
    tuned = pd.DataFrame(
        {
            "fold": ["a", "a", "b", "b", "b"],
            "method": ["ridge@logs", "knn@logs", "ridge@logs", "knn@logs", "knn@logs"],
            "label": ["biological_1"] * 4 + ["technical_1"],
            "k": 2,
            "validation_accuracy": [0.8, 0.9, 0.7, 0.6, 1.0],
        }
    )
    best = real_studies.champions(tuned)
    assert best.to_dict() == {"a": "knn@logs", "b": "ridge@logs"}
    assert real_studies.champions(tuned, without=["knn@logs"]).to_dict() == {"a": "ridge@logs", "b": "ridge@logs"}
    table = scores({"knn@logs": -0.3})
    table["fold"] = np.where(table["series"] == "mouse s0", "a", "b")
    own = real_studies.with_champion(table, best).query("method == 'champion'")
    assert (own.loc[own["fold"] == "a", "value"] < 0.5).all()
    assert (own.loc[own["fold"] == "b", "value"] == 0.7).all()


@pytest.mark.parametrize(
    ("gain", "noise", "words"),
    [
        (0.1, 0.01, "does better than"),
        (-0.1, 0.01, "does worse than"),
        (0, 0.01, "does as well as"),
        (0, 0.5, "is not told from"),
    ],
)
def test_the_first_sentence_says_what_the_table_says(gain, noise, words):
    table = real_studies.pooled(scores({"champion": gain}, noise=noise), ["ridge@logs", "champion"])
    assert f"the method chosen on validation series {words} ridge regression" in real_studies_page.answer(table)
    assert ("series would decide" in real_studies_page.primary(table)) == (words == "is not told from")


def test_models_that_share_data_within_folds_are_covered_less():
    alone, shared = real_studies.coverage(14, 0.0), real_studies.coverage(14, 0.3)
    assert 0.93 <= alone <= 0.97
    assert shared < alone


def test_runs_with_other_episodes_are_not_compared():
    masked = scores({"guided@per_tensor": 0.1}, label="guided")
    within = scores({"guided@per_tensor": 0.2, "mean_rate@per_tensor": 0.05}, label="guided")
    both = real_studies_within.both_runs(masked, within)
    table = real_studies.pooled(both, list(dict.fromkeys(both["method"])), real_studies_within.compared)
    gains = table[table["k"] == "2 and 3"].set_index(["method", "against"])["difference"]
    guided, control = (f"{method}@per_tensor (within)" for method in ("guided", "mean_rate"))
    assert gains[guided, control] == pytest.approx(0.15)
    assert gains[guided, "guided@per_tensor"] == pytest.approx(0.1)
    assert gains[guided, "ridge@logs"] == pytest.approx(0.2)
    others = within.assign(value=within["value"] + 0.01 * (within["series"] == "mouse s1"))
    with pytest.raises(ValueError, match="other episodes"):
        real_studies_within.both_runs(masked, others)

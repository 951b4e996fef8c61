"""Learning curves are fitted on the selection alone; scores, contrasts and the verdict say what the numbers say."""

import re
from types import SimpleNamespace

import anndata
import numpy as np
import pandas as pd
import pytest
from scarceseq.errors import InputError
from scarceseq.files import write_table
from scarceseq.network.graph import graph_from_edges
from scarceseq.screen.differential import no_differential_genes
from scarceseq.screen.splits import split_perturbations
from scarceseq.selection.contrasts import CONTRASTS, ROUNDS, contrast, room_to_gain
from scarceseq.selection.fitting import fit_selection
from scarceseq.selection.rankings import rank_perturbations
from scarceseq.selection.scores import SUMMARY, mean_rows, per_split, read_predictions, summarise, with_areas
from scarceseq.selection.settings import BudgetSettings
from scarceseq.selection.verdicts import field_verdict, graph_verdict, power_sentence, rounds_verdict, verdict
from scarceseq.statistics.outcomes import outcome
from scarceseq.statistics.p_values import holm
from scipy import stats
from sentence_length import longest_sentence

GENES = [f"G{index:02d}" for index in range(40)]
BUDGETS = BudgetSettings([25, 50, 100], min_budget=4, model_seeds=2)
JUDGEMENT = SimpleNamespace(worthwhile_share=0.05, confidence=0.95)
ABOUT = {"screen": "s", "graph": "none"}


def make_screen(kind="cells", seed=0):
    generator = np.random.default_rng(seed)
    data = anndata.AnnData(generator.normal(size=(40, 15)).astype(np.float32))
    data.obs_names, data.var_names = GENES, [f"C{column}" for column in range(15)]
    if kind == "cells":
        data.obs["reliability"] = data.obs["reliability_centred"] = 0.6
        data.obs["half_squared_error"] = 1.2
    data.uns = {"kind": kind, "transductive": kind == "coordinates"}
    top = pd.DataFrame({"perturbation": GENES, "gene": [f"C{index % 15}" for index in range(40)], "rank": 1})
    differential = top if kind == "cells" else no_differential_genes()
    return {"profiles": data, "differential": differential, "splits": split_perturbations(GENES, 3, 0.2, 1)}


@pytest.fixture
def graph():
    generator = np.random.default_rng(2)
    pairs = {tuple(pair) for pair in generator.integers(40, size=(160, 2)) if pair[0] != pair[1]}
    rows = [(GENES[a], GENES[b], 0.5) for a, b in sorted(pairs)]
    return graph_from_edges(pd.DataFrame(rows, columns=["source", "target", "weight"]))


def fit(screen, graph, predictor="graph_ridge", selector="random", about=ABOUT, draws=2):
    settings = SimpleNamespace(hops=1, random_draws=draws)
    given = graph if selector != "random" else None
    rankings, _ = rank_perturbations("s", [selector], screen["splits"], given, (), settings, 9)
    return fit_selection(about, predictor, screen, rankings, graph, BUDGETS), rankings


def test_the_table_holds_every_split_draw_and_budget(graph):
    table, _ = fit(make_screen(), graph)
    means = table[table["kind"] == "mean"]
    assert means.groupby(["split", "draw", "budget"], observed=True).size().unique().tolist() == [4]
    assert sorted(means["budget"].unique()) == [8, 16, 32]
    assert means["budget_share"].unique().tolist() == [0.25, 0.5, 1.0]


def test_a_predictor_that_draws_is_trained_with_each_seed_and_another_once(graph):
    screen = make_screen()
    forest, _ = fit(screen, graph, "graph_pca_forest", draws=1)
    means = forest[(forest["kind"] == "mean") & (forest["metric"] == "mse")]
    assert means.groupby(["split", "budget"], observed=True)["model_seed"].agg(list).map(lambda s: s == [0, 1]).all()
    assert means.groupby(["split", "budget"], observed=True)["value"].nunique().max() == 2
    ridge, _ = fit(screen, graph, draws=1)
    assert ridge.loc[ridge["kind"] == "mean", "model_seed"].eq(0).all()
    averaged = per_split(mean_rows(forest)).query("scale == 'raw' and metric == 'mse'").set_index(["split", "budget"])
    np.testing.assert_allclose(
        averaged["value"].sort_index(), means.groupby(["split", "budget"], observed=True)["value"].mean().sort_index()
    )


def test_an_error_is_that_of_the_predictor_trained_on_the_first_genes_of_the_ranking(graph):
    screen = make_screen()
    table, rankings = fit(screen, graph, "training_mean")
    first = rankings[(rankings["split"] == 1) & (rankings["draw"] == 1) & (rankings["rank"] <= 8)]["gene"]
    delta = screen["profiles"].to_df()
    splits = screen["splits"]
    test = splits[(splits["split"] == 1) & (splits["role"] == "test")]["perturbation"]
    expected = ((delta.loc[test] - delta.loc[first].mean()) ** 2).to_numpy().mean()
    row = table[(table["kind"] == "mean") & (table["metric"] == "mse") & (table["split"] == 1) & (table["draw"] == 1)]
    assert row.loc[row["budget"] == 8, "value"].item() == pytest.approx(expected, rel=1e-6)


def test_test_perturbations_have_no_influence_on_training(graph):
    """Adding a constant d to one test profile adds (d^2 - 2 d mean residual) / tests to the error, and nothing else."""
    screen, changed = make_screen("coordinates"), make_screen("coordinates")
    splits = screen["splits"]
    test = splits[(splits["split"] == 0) & (splits["role"] == "test")]["perturbation"]
    changed["profiles"].X[GENES.index(test.iloc[0])] += 50
    before, after = (
        table[table["metric"].eq("mse") & table["kind"].eq("mean") & table["split"].eq(0)]
        for table in (fit(screen, graph, "training_mean")[0], fit(changed, graph, "training_mean")[0])
    )
    delta = screen["profiles"].to_df()
    rankings = fit(screen, graph, "training_mean")[1]
    for row, later in zip(before.itertuples(), after.itertuples(), strict=True):
        own = rankings[(rankings["split"] == 0) & (rankings["draw"] == row.draw) & (rankings["rank"] <= row.budget)]
        residual = (delta.loc[own["gene"]].mean() - delta.loc[test.iloc[0]]).mean()
        assert later.value - row.value == pytest.approx((50**2 - 100 * residual) / len(test), rel=1e-5)


def test_floor_and_ceiling_do_not_depend_on_selector_or_predictor(graph):
    screen = make_screen()
    about = ABOUT | {"graph": "g"}
    tables = [
        fit(screen, graph)[0],
        fit(screen, graph, "training_mean")[0],
        fit(screen, graph, selector="reach", about=about)[0],
    ]
    columns = ["kind", "split", "metric", "value"]
    bounds = [t[t["kind"].isin(["floor", "ceiling"])][columns].astype({"kind": str}) for t in tables]
    assert len(bounds[0]) == 3 * 2 * 4
    for other in bounds[1:]:
        pd.testing.assert_frame_equal(bounds[0].reset_index(drop=True), other.reset_index(drop=True))
    full = tables[1][(tables[1]["kind"] == "mean") & (tables[1]["budget"] == 32)]
    floor = tables[1][tables[1]["kind"] == "floor"].set_index(["split", "metric"])["value"]
    np.testing.assert_allclose(full["value"], floor.loc[list(zip(full["split"], full["metric"], strict=True))])


def test_the_whole_pool_scores_the_same_however_it_was_ranked(graph):
    table, _ = fit(make_screen(), graph, draws=4)
    full = table[(table["kind"] == "mean") & (table["budget"] == 32)]
    assert (full.groupby(["split", "metric"], observed=True)["value"].nunique() == 1).all()


def test_a_ranking_of_something_else_than_the_pool_is_refused(graph):
    screen = make_screen()
    _, rankings = fit(screen, graph)
    test = screen["splits"].query("split == 0 and role == 'test'")["perturbation"].iloc[0]
    for wrong in (
        rankings.assign(gene=rankings["gene"].mask(rankings["rank"] == 1, test)),
        rankings.assign(gene="G00"),
    ):
        with pytest.raises(InputError, match=r"random, split 0, draw 0: the ranking is not of the split's pool"):
            fit_selection(ABOUT, "graph_ridge", screen, wrong, graph, BUDGETS)


def test_a_ranking_that_ends_early_has_the_budgets_it_reaches_and_the_whole_pool(graph):
    screen = make_screen()
    whole, rankings = fit(screen, graph)
    short = rankings[rankings["rank"] <= 20].assign(round=lambda t: (t["rank"] > 8).astype(int))
    table = fit_selection(ABOUT, "graph_ridge", screen, short, graph, BUDGETS)
    means = table[table["kind"] == "mean"]
    assert means.groupby("budget")["round"].unique().map(list).to_dict() == {8: [0], 16: [1], 32: [1]}
    pd.testing.assert_series_equal(means["value"], whole.loc[whole["kind"] == "mean", "value"])
    shorter = fit_selection(ABOUT, "graph_ridge", screen, rankings[rankings["rank"] <= 10], graph, BUDGETS)
    assert sorted(shorter.loc[shorter["kind"] == "mean", "budget"].unique()) == [8, 32]
    both = pd.concat([mean_rows(whole), mean_rows(shorter.assign(graph="h"))])
    areas = with_areas(per_split(both)).query("quantity == 'area' and scale == 'raw'")
    wide = areas.pivot(index=["metric", "split"], columns="graph", values="value")
    np.testing.assert_allclose(wide["none"], wide["h"])  # over the budgets that both have


@pytest.fixture
def scored(graph, tmp_path):
    paths = []
    for kind in ("cells", "coordinates"):
        screen = make_screen(kind)
        for selector in ("random", "reach@usage"):
            about = {"screen": kind, "graph": "none" if selector == "random" else "g"}
            table, _ = fit(screen, graph, selector=selector, about=about)
            paths.append(tmp_path / f"{kind}_{selector}.parquet")
            write_table(table, paths[-1])
    return read_predictions(paths)


def test_scores_carry_floor_and_ceiling_and_metrics_that_are_not_defined_say_why(scored):
    assert scored["floor"].notna().all()
    assert scored.loc[scored["screen"] == "coordinates", "ceiling"].isna().all()
    summary = summarise(with_areas(per_split(scored)), 0.95)
    assert list(summary.columns) == SUMMARY
    missing = summary[summary["status"] == "not defined"]
    assert set(missing.loc[missing["screen"] == "coordinates", "metric"]) == {
        "mse_top",
        "pearson_delta",
        "pearson_delta_perturbed_mean",
    }
    assert (missing["reason"] != "").all()
    run = summary[summary["status"] == "run"]
    assert run.loc[run["screen"] == "coordinates", "transductive"].all()
    assert set(run.loc[run["screen"] == "coordinates", "scale"]) == {"raw"}


def test_areas_are_mean_heights_and_normalised_values_lie_between_floor_and_ceiling(scored):
    values = with_areas(per_split(scored))
    one = values.query("screen == 'cells' and selector == 'random' and metric == 'pearson_delta' and split == 2")
    raw, normalised = one[one["scale"] == "raw"], one[one["scale"] == "normalised"]
    height = raw[raw["quantity"] == "budget"].sort_values("budget")["value"].to_numpy()
    expected = (0.25 * (height[0] + height[1]) / 2 + 0.5 * (height[1] + height[2]) / 2) / 0.75
    assert raw.loc[raw["quantity"] == "area", "value"].item() == pytest.approx(expected)
    bounds = (
        scored.query("screen == 'cells' and metric == 'pearson_delta'").groupby("split")[["floor", "ceiling"]].first()
    )
    width = (bounds["ceiling"] - bounds["floor"]).mean()
    at = normalised[normalised["quantity"] == "budget"].sort_values("budget")["value"].to_numpy()
    np.testing.assert_allclose(at, (height - bounds.loc[2, "floor"]) / width)


def test_a_contrast_is_the_paired_difference_with_the_corrected_interval(scored):
    values = with_areas(per_split(scored))
    table = contrast(values, JUDGEMENT)
    assert list(table.columns) == CONTRASTS
    row = table.query("screen == 'cells' and metric == 'mse' and scale == 'raw' and quantity == 'area'").iloc[0]
    chosen = values.query("screen == 'cells' and metric == 'mse' and scale == 'raw' and quantity == 'area'")
    wide = chosen.pivot(index="split", columns="selector", values="value")
    difference = (wide["random"] - wide["reach@usage"]).to_numpy()
    half = stats.t.ppf(0.975, 2) * np.sqrt(difference.var(ddof=1) * (1 / 3 + 8 / 32))
    assert row["difference"] == pytest.approx(difference.mean())
    assert (row["high"] - row["low"]) / 2 == pytest.approx(half)
    assert row["kind"] == "primary"
    assert (table["kind"] == "primary").sum() == 2
    assert set(table["selector"]) == {"reach@usage"}
    test = stats.ttest_1samp(difference, 0)  # without the correction for overlapping splits
    scale = np.sqrt((1 / 3 + 8 / 32) / (1 / 3))
    assert row["p"] == pytest.approx(2 * stats.t.sf(abs(test.statistic) / scale, 2))


def test_static_priors_are_a_second_baseline_of_the_primary_selector(scored):
    copies = [scored[scored["selector"] == "reach@usage"].assign(selector=name) for name in ("prior_only", "degree")]
    table = contrast(with_areas(per_split(pd.concat([scored, *copies]))), JUDGEMENT)
    assert set(table.loc[table["against"] == "prior_only", "selector"]) == {"reach@usage"}
    assert set(table.loc[table["against"] == "random", "selector"]) == {"reach@usage", "prior_only", "degree"}
    same = table[table["against"] == "prior_only"]
    assert (same["difference"] == 0).all()
    assert set(same["kind"]) == {"primary", "secondary"}
    assert "k-center on static priors" in verdict(table)
    family = table.query(
        "against == 'random' and metric == 'mse' and screen == 'cells' and scale == 'raw' and budget == 8"
    )
    np.testing.assert_allclose(family["p_holm"], np.minimum(3 * family["p"], 1))  # three equal p values


def test_contrasts_without_random_are_empty(scored):
    values = with_areas(per_split(scored[scored["selector"] != "random"]))
    assert contrast(values, JUDGEMENT).empty


def test_room_is_the_distance_to_the_ceiling_or_to_a_perfect_score():
    best, rising = pd.Series([0.6, 0.1, 0.5]), pd.Series([True, False, False])
    room = room_to_gain(pd.Series([0.4, 0.4, 0.4]), best, rising)
    assert room[:2].tolist() == pytest.approx([0.2, 0.3])
    assert np.isnan(room[2])


def test_without_a_known_ceiling_the_room_reaches_to_a_perfect_score(scored):
    table = contrast(with_areas(per_split(scored)), JUDGEMENT).query("screen == 'coordinates' and scale == 'raw'")
    rising = table[table["metric"] == "cosine"]
    np.testing.assert_allclose(rising["room"], 1 - rising["baseline_value"])
    errors = table[table["metric"] == "mse"]
    np.testing.assert_allclose(errors["room"], errors["baseline_value"])


def test_a_selector_is_compared_with_itself_on_a_control_graph(scored):
    values = with_areas(per_split(scored))
    worse = values[values["selector"] == "reach@usage"].assign(graph="shuffled", value=lambda t: t["value"] + 0.01)
    table = contrast(pd.concat([values, worse]), JUDGEMENT, {"shuffled": "g"}).query("kind == 'control'")
    assert set(table["against"]) == {"shuffled"}
    assert set(table["graph"]) == {"g"}
    falling = table["metric"].str.startswith("mse") & (table["scale"] == "raw")
    np.testing.assert_allclose(table["difference"], np.where(falling, 0.01, -0.01))
    primary = table.query("metric == 'mse' and scale == 'raw' and quantity == 'area' and predictor == 'graph_ridge'")
    assert len(primary) == 2
    assert graph_verdict(table).count("needs the links of g") == 2


def areas_of(errors):
    """Rows as of `with_areas`: one area for each way of choosing and split; ways in rounds begin with ``r_``."""
    rows = [
        {"selector": name, "split": split, "value": value, "cycles": 1 + 3 * name.startswith("r_")}
        for name, values in errors.items()
        for split, value in enumerate(values)
    ]
    about = {"screen": "s", "graph": "g", "predictor": "gears", "metric": "mse", "scale": "raw", "quantity": "area"}
    bounds = {"pool": 32, "test": 8, "transductive": False, "floor": 1.0, "ceiling": 0.2, "draws": 1, "budget": pd.NA}
    return pd.DataFrame(rows).assign(**about, **bounds, budget_share=np.nan).astype({"budget": "Int32"})


def test_one_shot_is_compared_with_each_in_rounds_and_with_their_mean():
    generator = np.random.default_rng(3)
    names = ["random", "v_optimal", "reach@usage", "r_bald", "r_lcmd"]
    errors = {name: 0.5 + 0.02 * generator.normal(size=5) for name in names}
    table = contrast(areas_of(errors), JUDGEMENT).query("kind == 'rounds'").set_index(["selector", "against"])
    assert set(table.index) == {
        (one, other) for one in ("v_optimal", "reach@usage") for other in ("r_bald (g)", "r_lcmd (g)", ROUNDS)
    }
    rounds = (errors["r_bald"] + errors["r_lcmd"]) / 2
    difference = rounds - errors["v_optimal"]
    row = table.loc[("v_optimal", ROUNDS)]
    half = stats.t.ppf(0.975, 4) * difference.std(ddof=1) * np.sqrt(1 / 5 + 8 / 32)
    np.testing.assert_allclose(
        row[["difference", "low", "high"]].astype(float), difference.mean() + half * np.array([0, -1, 1])
    )
    assert row["room"] == pytest.approx(rounds.mean() - 0.2)
    assert row["margin"] == pytest.approx(0.05 * row["room"])


def test_the_sentence_on_rounds_says_what_the_table_says():
    same = np.array([0.50, 0.52, 0.48, 0.51, 0.49])
    errors = {
        "random": same + 0.1,
        "v_optimal": same - 0.05,
        "reach@usage": same + 0.001 * np.array([1, -1, 1, -1, 0.1]),
        "r_bald": same,
        "r_lcmd": same,
    }
    text = rounds_verdict(contrast(areas_of(errors), JUDGEMENT))
    assert "by v optimal does better than choosing in rounds, on average" in text
    assert "by usage-weighted reach" in text
    assert text.count("does as well as choosing in rounds") == 1
    assert rounds_verdict(contrast(areas_of({"random": same, "v_optimal": same}), JUDGEMENT)) == ""


@pytest.mark.parametrize(
    ("difference", "half", "words"),
    [
        (0.1, 0.05, "on g does better than its control h (avoidable squared error saved +20.0% [+10.0% to +30.0%]"),
        (0.1, 0.05, "So it needs the links of g."),
        (-0.1, 0.05, "on g does worse than its control h (avoidable squared error saved -20.0%"),
        (-0.1, 0.05, "So what the graph says about genes is idle here."),
        (0.0, 0.02, "on g does as well as its control h to within 5%"),
        (0.0, 0.02, "So what the graph says about genes is idle here."),
        (0.01, 0.1, "whether usage-weighted reach on g does better than its control h is undecided (avoidable"),
        (0.01, np.nan, "on g was not tested against its control h: there is a single split"),
    ],
)
def test_the_verdict_on_a_graph_says_what_a_constructed_table_says(difference, half, words):
    about = {"kind": "control", "against": "h", "predictor": "graph_ridge", "metric": "mse", "scale": "raw"}
    text = graph_verdict(constructed(difference, half).assign(**about, quantity="area"))
    assert text.startswith("Screen s: ")
    assert words in text
    assert longest_sentence(text) <= 40


def test_the_verdict_on_the_field_names_winners_and_losers_and_says_how_strong_the_test_was():
    about = {"kind": "secondary", "predictor": "graph_ridge", "metric": "mse", "scale": "raw", "quantity": "area"}
    rows = []
    for number, (difference, half) in enumerate([(0.1, 0.04), (0.06, 0.05), (0.0, 0.02), (0.01, 0.1), (-0.1, 0.02)]):
        error = half / stats.t.ppf(0.975, 9)
        p = 2 * stats.t.sf(abs(difference) / error, 9)
        rows.append(constructed(difference, half).assign(selector=f"s{number}", error=error, p=p, **about))
    table = pd.concat(rows, ignore_index=True)
    (text,) = field_verdict(table.assign(p_holm=holm(table["p"])))
    assert "5 ways of choosing" in text
    assert "Better than random, allowing for their number: s0 (g) by 20.0% [+12.0% to +28.0%]." in text
    assert "Worse than random, allowing for their number: s4 (g) by 20.0% [-24.0% to -16.0%]." in text
    assert "Better by their own interval alone, which may be chance: s1 (g) by 12.0%" in text
    assert longest_sentence(text) <= 40
    assert "All against random choice, 5 comparisons: 2 better, 1 worse, 1 no difference, 1 undecided (mean" in text
    assert "1 differ from random by less than 5%, and for 1 a difference of that size could be hidden" in text
    (nothing,) = field_verdict(table.assign(p_holm=1.0, outcome="undecided"))
    assert "Better than random, allowing for their number: none." in nothing
    (single,) = field_verdict(table.assign(p=np.nan, p_holm=np.nan, outcome="not tested"))
    assert single.endswith("They were not tested: there is a single split.")


def test_a_difference_of_the_stated_size_is_found_as_often_as_stated():
    """Oracle: simulated t tests of 10 splits."""
    generator, error, splits = np.random.default_rng(0), 0.02, 10
    part = pd.DataFrame({"splits": [splits], "error": [error], "room": [1.0]})
    stated = float(re.search(r"a difference of ([\d.]+)%", power_sentence(part))[1]) / 100
    samples = generator.normal(stated, error * np.sqrt(splits), size=(20000, splits))
    t = samples.mean(axis=1) / (samples.std(axis=1, ddof=1) / np.sqrt(splits))
    assert (t > stats.t.ppf(0.975, splits - 1)).mean() == pytest.approx(0.8, abs=0.04)


def constructed(difference, half, room=0.5, splits=10, transductive=False):
    """One primary contrast with a given interval; random's value is 1, the margin 5% of the room."""
    low, high, margin = difference - half, difference + half, 0.05 * room
    row = {"kind": "primary", "screen": "s", "graph": "g", "selector": "reach@usage", "against": "random"}
    row |= {"difference": difference, "low": low, "high": high, "margin": margin, "outcome": outcome(low, high, margin)}
    return pd.DataFrame([row | {"baseline_value": 1.0, "room": room, "splits": splits, "transductive": transductive}])


@pytest.mark.parametrize(
    ("difference", "half", "words"),
    [
        (0.1, 0.05, "does better than random selection (avoidable squared error saved +20.0% [+10.0% to +30.0%]; 10"),
        (-0.1, 0.05, "does worse than random selection (avoidable squared error saved -20.0% [-30.0% to -10.0%]"),
        (0.0, 0.02, "does as well as random selection to within 5%"),
        (0.01, 0.1, "[-18.0% to +22.0%]; 10 splits); 5% is not ruled out."),
        (0.01, np.nan, "was not tested against random selection: there is a single split"),
    ],
)
def test_the_verdict_says_what_a_constructed_table_says(difference, half, words):
    text = verdict(constructed(difference, half))
    assert text.startswith("Screen s, graph g: ")
    assert words in text


def test_the_verdict_names_preparation_in_view_of_the_test_set_and_plain_error_without_ceiling():
    text = verdict(constructed(0.2, 0.1, room=1.0, transductive=True))
    assert "(squared error saved +20.0% [" in text
    assert text.endswith("with the test perturbations in view.")


def test_the_verdict_on_a_random_selection_at_the_ceiling_and_on_no_contrast():
    assert "nothing is left to gain" in verdict(constructed(0.0, 0.1, room=np.nan))
    assert verdict(constructed(0.0, 0.1).assign(kind="secondary")).startswith("No primary contrast was run")

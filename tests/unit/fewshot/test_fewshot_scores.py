"""Scores, intervals and sentences against hand-computed values and closed forms."""

import numpy as np
import pandas as pd
import pytest
from scarceseq.fewshot.intervals import Clusters, pigeonhole_weights
from scarceseq.fewshot.metrics import METRICS, balanced_accuracy, log_loss, measure
from scarceseq.fewshot.scores import contrast, mean_curves, pairs, rank, score_episodes, summarise
from scarceseq.fewshot.settings import ScoreSettings
from scarceseq.fewshot.verdict import outcome, sentences, verdict
from scipy import stats
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

SETTINGS = ScoreSettings(bootstrap_draws=4000, confidence=0.95, smallest_difference=0.05)


def interval(values, support, query, settings, seed):
    return Clusters(support, query, settings, seed).interval(values)


def pigeonhole_means(values, support, query, draws, seed):
    weights, _ = pigeonhole_weights(support, query, 1, draws, seed)
    return weights @ values


def test_balanced_accuracy_equals_scikit_learns():
    generator = np.random.default_rng(0)
    labels, predicted = generator.choice(list("abc"), (2, 40))
    assert balanced_accuracy(labels, predicted) == pytest.approx(balanced_accuracy_score(labels, predicted))


def test_log_loss_of_known_probabilities():
    assert log_loss([0.5, 0.25]) == pytest.approx(1.5 * np.log(2))
    assert log_loss([0.0]) == pytest.approx(-np.log(1e-7))


@pytest.mark.parametrize("classes", [2, 3])
def test_measures_of_many_episodes_at_once_equal_those_of_each_by_itself(classes):
    generator = np.random.default_rng(6)
    parts = []
    for episode in range(7):
        names = np.sort(generator.choice(list("abcdef"), classes, replace=False))
        own = generator.permutation(np.repeat(np.arange(classes), 4 + episode))
        p = generator.dirichlet(np.ones(classes), len(own)).round(2)  # rounded, so that there are ties
        part = pd.DataFrame({f"p_{c}": p[:, c] for c in range(classes)})
        parts.append(
            part.assign(e=episode, label=names[own], predicted=names[p.argmax(1)], probability=p[range(len(own)), own])
        )
    table = pd.concat(parts).assign(p_9=np.nan).sample(frac=1, random_state=0)  # no episode has a tenth class
    found = measure(table, ["e"]).set_index("e")
    for episode, part in table.groupby("e"):
        columns = [f"p_{c}" for c in range(classes)]
        names = sorted(set(part["label"]))
        areas = [
            roc_auc_score(part["label"] == name, part[column]) for name, column in zip(names, columns, strict=True)
        ]
        truth = (part["label"].to_numpy()[:, None] == np.array(names)).astype(float)
        expected = dict(
            queries=4 + episode,
            balanced_accuracy=balanced_accuracy_score(part["label"], part["predicted"]),
            auroc=np.mean(areas),
            log_loss=log_loss(part["probability"]),
            brier=((part[columns].to_numpy() - truth) ** 2).sum(axis=1).mean(),
        )
        assert found.loc[episode].to_dict() == pytest.approx(expected)


def test_single_factor_pigeonhole_has_the_variance_of_the_cluster_bootstrap():
    # Oracle: with equally many episodes per study, Var* = population variance of the study means / studies.
    generator = np.random.default_rng(1)
    study = np.repeat([f"S{n}" for n in range(12)], 5)
    values = np.repeat(generator.normal(size=12), 5) + generator.normal(size=60)
    means = pigeonhole_means(values, study, study, 100_000, 3)
    expected = values.reshape(12, 5).mean(1).var() / 12
    assert means.var() == pytest.approx(expected, rel=0.02)
    assert means.mean() == pytest.approx(values.mean(), abs=0.003)


def test_crossed_pigeonhole_of_additive_effects_has_the_sum_of_both_variances():
    # Oracle: for a full crossing with value = a_support + b_query the weighted mean splits into two bootstrap means.
    generator = np.random.default_rng(2)
    a, b = generator.normal(size=11), generator.normal(size=15)
    support, query = (part.ravel() for part in np.meshgrid(range(11), range(15), indexing="ij"))
    means = pigeonhole_means(a[support] + b[query], support, query + 100, 100_000, 4)
    assert means.var() == pytest.approx(a.var() / 11 + b.var() / 15, rel=0.02)


def test_ten_studies_or_more_use_the_bootstrap_and_it_is_wider_than_one_over_episodes():
    generator = np.random.default_rng(3)
    study = np.repeat([f"S{n}" for n in range(10)], 30)
    values = np.repeat(generator.normal(size=10), 30) + 0.1 * generator.normal(size=300)
    found = interval(values, study, study, SETTINGS, 0)
    assert found.kind == "bootstrap over query studies"
    assert found.studies == 10
    naive = 2 * 1.96 * values.std() / np.sqrt(300)
    assert found.high - found.low > 3 * naive
    assert found == interval(values, study, study, SETTINGS, 0)


def test_three_to_nine_studies_use_t_on_study_means():
    study = np.array(list("aabbbc"))
    values = np.array([0.0, 2.0, 4.0, 5.0, 6.0, 3.0])
    found = interval(values, study, study, SETTINGS, 0)
    low, high = stats.t.interval(0.95, 2, loc=3.0, scale=stats.sem([1.0, 5.0, 3.0]))
    assert (found.mean, found.low, found.high) == pytest.approx((3.0, low, high))
    assert found.kind == "t on means of query studies"


def test_the_scarcer_of_support_and_query_studies_decides():
    query = np.array([f"Q{n}" for n in range(12)])
    support = np.array(list("abc") * 4)
    found = interval(np.arange(12.0), support, query, SETTINGS, 0)
    assert (found.kind, found.studies) == ("t on means of support studies", 3)


def test_supports_of_several_studies_are_no_factor():
    values, query = np.arange(12.0), np.array([f"Q{n}" for n in range(12)])
    support = np.array([f"A + {name}" for name in query])
    found = interval(values, support, query, SETTINGS, 0)
    assert found == interval(values, query, query, SETTINGS, 0)
    assert found.kind == "bootstrap over query studies"


def test_seeds_are_resampled_too():
    # Oracle: of additive effects, the bootstrap variance of the mean is the sum of both factors' own.
    generator = np.random.default_rng(5)
    of_study, of_seed = generator.normal(size=15), generator.normal(size=5)
    study = np.array([f"S{n:02d}" for n in range(15)])
    clusters = Clusters(study, study, ScoreSettings(100_000, 0.95, 0.05), 1)
    means = clusters._means(of_study[:, None] + of_seed)
    assert means.var() == pytest.approx(of_study.var() / 15 + of_seed.var() / 5, rel=0.03)
    few = interval(of_study[:5, None] + of_seed, study[:5], study[:5], SETTINGS, 1)
    assert few.kind == "t on means of query studies and seeds"


def test_p_value_is_where_the_interval_begins_to_hold_zero():
    study = np.array([f"S{n:02d}" for n in range(20)])
    values = np.random.default_rng(8).normal(0.5, 1.0, 20)
    found = interval(values, study, study, SETTINGS, 3)
    just = ScoreSettings(4000, 1 - found.p, 0.05)
    assert abs(interval(values, study, study, just, 3).low) < 0.01


def test_two_studies_give_no_interval_but_a_reason():
    found = interval([0.0, 1.0], ["a", "b"], ["a", "b"], SETTINGS, 0)
    assert found.mean == 0.5
    assert np.isnan([found.low, found.high]).all()
    assert found.kind == "NA"
    assert found.reason == "2 query studies; an interval needs 3"


def test_within_one_study_the_interval_knows_that_episodes_overlap():
    # Oracle: Nadeau and Bengio's variance of a mean over J divisions, s^2 (1/J + asked/learned), by hand.
    values, study = np.random.default_rng(4).normal(0.1, 0.2, 50), np.full(50, "a")
    found = Clusters(study, study, SETTINGS, 0, asked_to_learned=2.0).interval(values)
    half = stats.t.ppf(0.975, 49) * values.std(ddof=1) * np.sqrt(1 / 50 + 2.0)
    assert (found.low, found.high) == pytest.approx((values.mean() - half, values.mean() + half))
    assert (found.kind, found.studies) == ("corrected resampled t, within one study", 1)
    both = Clusters(study, study, SETTINGS, 0, 2.0).interval(np.column_stack([values, values]))
    assert (both.low, both.high) == (found.low, found.high)  # seeds on one study's episodes are no further divisions
    equal = Clusters(study, study, SETTINGS, 0, 2.0).interval(np.ones(50))
    assert np.isnan(equal.low)
    assert equal.reason == "1 study, all episodes are equal"
    other = Clusters(np.full(50, "b"), study, SETTINGS, 0, 2.0).interval(values)  # across studies: no such thing
    assert np.isnan(other.low)


def test_the_share_of_queries_reaches_the_interval():
    tables = [predictions("guided_per_tensor", 4, 8), predictions("scalar_mean_rate", 2, 8)]
    for number, (_, table) in enumerate(tables):
        table[["support_study", "query_study"]] = "T0"
        table["predicted"] = table["predicted"].where((table["episode"] < 4) | (number == 0), table["label"])
    scores = score_episodes(tables)
    assert set(scores["queries"]) == {2.0}
    found = contrast(scores, SETTINGS, 0)
    row = found[(found["metric"] == "balanced_accuracy") & (found["kind"] == "primary")].iloc[0]
    wide = scores[scores["metric"] == "balanced_accuracy"].pivot(index="episode", columns="method", values="value")
    values = wide["guided_per_tensor"] - wide["scalar_mean_rate"]
    half = stats.t.ppf(0.975, 7) * values.std(ddof=1) * np.sqrt(1 / 8 + 2.0)
    assert row["high"] - row["low"] == pytest.approx(2 * half)
    assert values.std() > 0
    text = verdict(found, rank(scores, 0.95), 0.05)
    assert "Cells of one study say what holds for random divisions of that study" in text


def predictions(method, right, studies=4):
    """A table in which the first `right` of 4 query samples of each episode are predicted right."""
    rows = [
        dict(role="test", episode=e, sample=f"s{e}.{n}", label="ab"[n % 2], support_study=f"T{e}", query_study=f"T{e}")
        | dict(
            diverged=False,
            predicted="ab"[n % 2] if n < right else "ab"[1 - n % 2],
            probability=0.8 if n < right else 0.2,
            seed=1,
        )
        for e in range(studies)
        for n in range(4)
    ]
    for row in rows:
        row |= {f"p_{c}": row["probability"] if row["label"] == "ab"[c] else 1 - row["probability"] for c in (0, 1)}
    worse = [row | dict(role="validation", predicted="x", probability=0.0) for row in rows]
    return dict(base="mlp", task="t"), pd.DataFrame(rows + worse).assign(method=method, way="2", shot=1)


@pytest.fixture
def scores():
    rights = {"guided_per_tensor": 4, "scalar_mean_rate": 2, "linear_probe": 2, "full_fine_tuning": 0}
    return score_episodes([predictions(*item) for item in rights.items()])


def test_scores_are_of_test_episodes_only_one_row_per_metric(scores):
    part = scores[(scores["method"] == "scalar_mean_rate") & (scores["metric"] == "balanced_accuracy")]
    assert part["value"].tolist() == [0.5] * 4
    assert part["study"].tolist() == ["T0", "T1", "T2", "T3"]
    assert list(scores.columns[:4]) == ["base", "method", "task", "study"]
    assert len(scores) == 4 * 4 * len(METRICS)


def test_summary_lists_cells_that_were_not_run_with_their_reason(scores):
    plans = [dict(task="t", way="2", shot=1, planned=4), dict(task="t", way="9", shot=1, planned=0, reason="too few")]
    methods = [("mlp", method, "t") for method in scores["method"].unique()] * 2
    summary = summarise(scores, plans, methods, SETTINGS, 0)
    assert len(summary) == 4 * 2 * len(METRICS)
    missing = summary[summary["status"] == "not run"]
    assert set(missing["way"]) == {"9"}
    assert set(missing["reason"]) == {"too few"}
    assert missing["mean"].isna().all()
    run = summary[(summary["status"] == "run") & (summary["metric"] == "balanced_accuracy")].set_index("method")
    assert run["mean"].to_dict() == {
        **{"guided_per_tensor": 1.0, "scalar_mean_rate": 0.5, "linear_probe": 0.5, "full_fine_tuning": 0.0}
    }
    assert set(run["episodes"]) == {4}


def test_summary_says_how_many_fits_diverged():
    key, table = predictions("scratch", 4)
    table["diverged"] = table["episode"] == 2
    summary = summarise(score_episodes([(key, table)]), [], [], SETTINGS, 0)
    assert set(summary["reason"]) == {"1 of 4 fits diverged"}


def test_contrasts_are_paired_differences_primary_ones_as_written_down(scores):
    table = contrast(scores, SETTINGS, 0)
    table = table[table["metric"] == "balanced_accuracy"].set_index(["method", "against"])
    assert table["difference"].to_dict() == {
        ("guided_per_tensor", "scalar_mean_rate"): 0.5,
        ("guided_per_tensor", "linear_probe"): 0.5,
        ("guided_per_tensor", "full_fine_tuning"): 1.0,
        ("linear_probe", "full_fine_tuning"): 0.5,
        ("scalar_mean_rate", "full_fine_tuning"): 0.5,
    }
    assert table["kind"].tolist() == ["primary"] * 2 + ["secondary"] * 3


def test_each_guide_is_compared_with_its_own_controls():
    primary = [pair[:2] for pair in pairs(["guided_global", "scalar_mean_rate", "scalar_mean_rate_global"])]
    assert primary == [("guided_global", "scalar_mean_rate_global")]


def test_no_scores_at_all_give_empty_tables_with_columns():
    scores = score_episodes([])
    assert {"base", "metric", "value"} <= set(scores.columns)
    assert {"difference", "kind"} <= set(contrast(scores, SETTINGS, 0).columns)
    plans = [dict(task="t", way=9, shot=1, planned=0, reason="too few")]
    assert len(summarise(scores, plans, [("mlp", "scratch", "t")], SETTINGS, 0)) == len(METRICS)
    assert {"mean_rank", "critical_difference"} <= set(rank(scores, 0.95).columns)


def test_a_method_without_a_network_is_compared_with_every_seed_of_the_other():
    tables = []
    for seed, right in ((1, 4), (2, 2)):
        key, table = predictions("guided_per_tensor", right)
        tables.append((key, table.assign(seed=seed)))
    tables.append(predictions("full_fine_tuning", 0))
    table = contrast(score_episodes(tables), SETTINGS, 0)
    row = table[table["metric"] == "balanced_accuracy"].iloc[0]
    assert (row["difference"], row["seeds"], row["episodes"]) == (0.75, 2, 4)
    assert "and seeds" in row["interval"]


def test_p_values_are_adjusted_for_all_primary_contrasts_of_a_metric():
    rights = {"guided_per_tensor": 4, "scalar_mean_rate": 2, "linear_probe": 2, "full_fine_tuning": 0}
    table = contrast(score_episodes([predictions(*item, studies=12) for item in rights.items()]), SETTINGS, 0)
    part = table[(table["metric"] == "balanced_accuracy") & (table["kind"] == "primary")]
    assert len(part) == 2
    np.testing.assert_allclose(part["p_holm"], 2 * part["p"].min())
    few = contrast(score_episodes([predictions(*item) for item in rights.items()]), SETTINGS, 0)
    assert few["p_holm"].isna().all()


def test_mean_ranks_and_their_critical_difference():
    rights = {"a": 4, "b": 2, "c": 2, "d": 0}
    found = rank(score_episodes([predictions(*item, studies=6) for item in rights.items()]), 0.95).set_index("method")
    assert found["mean_rank"].to_dict() == {"a": 1.0, "b": 2.5, "c": 2.5, "d": 4.0}
    # Oracle: Demsar 2006, table 5: q = 2.569 for 4 methods at 0.05.
    assert found["critical_difference"].iloc[0] == pytest.approx(2.569 * np.sqrt(4 * 5 / (6 * 6)), rel=1e-3)
    assert found["friedman_p"].iloc[0] < 0.01


def test_curves_are_averaged_over_episodes_and_seeds():
    part = pd.DataFrame(dict(method="a", way="2", shot=1, episode=[0, 0, 1], steps=[1, 3, 1], study="S", candidate=0.1))
    parts = [
        (dict(base="mlp", task="t"), part.assign(seed=s, balanced_accuracy=[0.5 + s, 1.0, 0.0], log_loss=1.0))
        for s in (0, 1)
    ]
    found = mean_curves(parts)
    assert found["balanced_accuracy"].tolist() == [0.5, 1.0]
    assert found["episodes"].tolist() == [2, 1]


def contrasts(*found):
    """A constructed table of primary contrasts from (difference, low, high, studies)."""
    rows = [
        dict(base="mlp", task="tissue", way=3, shot=1, metric="balanced_accuracy", method="guided_per_tensor")
        | dict(against="linear_probe", difference=d, low=low, high=high, studies=studies, episodes=40)
        | dict(interval="bootstrap over query studies" if studies >= 10 else "t on means of query studies")
        | dict(kind="primary", seeds=5, p_holm=0.01 if studies >= 10 else np.nan)
        for d, low, high, studies in found
    ]
    return pd.DataFrame(rows)


def ranks(**mean_ranks):
    """Ranks of one cell, in which a distance of 1.5 is critical."""
    rows = [
        dict(base="mlp", task="tissue", way="all", shot=1, method=name, mean_rank=value, mean=1 - value / 10)
        | dict(studies=12, methods=len(mean_ranks), critical_difference=1.5, friedman_p=0.01)
        for name, value in mean_ranks.items()
    ]
    return pd.DataFrame(rows, columns=None if rows else ["base", "task", "way", "shot"])


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ((0.08, 0.03, 0.13, 12), "win"),
        ((-0.08, -0.13, -0.03, 12), "loss"),
        ((0.01, -0.02, 0.04, 12), "no difference detected"),
        ((0.0, 0.0, 0.0, 12), "no difference detected"),
        ((0.04, -0.02, 0.10, 12), "underpowered"),
        ((-0.04, -0.10, 0.02, 12), "underpowered"),
        ((0.20, np.nan, np.nan, 2), "underpowered"),
    ],
)
def test_outcome_and_sentence_of_win_loss_tie_and_underpowered(found, expected):
    table = contrasts(found)
    assert outcome(table.iloc[0], 0.05) == expected
    [text] = sentences(table, 0.05)
    assert text.startswith(f"guided_per_tensor against linear_probe (tissue, 3-way 1-shot, base mlp): {expected}")
    whole = verdict(table, ranks(), 0.05)
    assert whole.startswith(f"In all, 1 primary contrast: 1 {expected}.")
    assert "Against the frozen embedding with a linear classifier, guided per tensor: 1 primary" in whole
    assert "seed" not in whole


def test_verdict_of_one_seed_makes_no_claim():
    one, two = (contrasts((0.1, 0.05, 0.2, 12)).assign(seeds=seeds) for seeds in (1, 2))
    assert "carries no seed variance: none of this is a claim" in verdict(one, ranks(), 0.05)
    assert "2 pre-training seeds are fewer than the 5" in verdict(two, ranks(), 0.05)
    mixed = pd.concat([one, contrasts((0.1, 0.05, 0.2, 12))], ignore_index=True)
    assert "Where they are fewer, nothing is claimed" in verdict(mixed, ranks(), 0.05)


def test_verdict_counts_outcomes_of_own_controls_and_baselines_and_what_holds_after_adjustment():
    table = contrasts((0.1, 0.05, 0.2, 5), (0.1, 0.05, 0.2, 12), (-0.1, -0.2, -0.05, 12))
    table.loc[1, "against"] = "tensor_mean_rate"
    table.loc[2, "p_holm"] = 0.06
    text = verdict(table, ranks(), 0.05)
    assert "In all, 3 primary contrasts: 2 win, 1 loss; 1 of the 3 that leave out 0 hold after Holm's" in text
    assert "rate for all weights or for each tensor, guided per tensor: 1 primary contrast: 1 win (mean" in text
    assert "linear classifier, guided per tensor: 2 primary contrasts: 1 win, 1 loss; 0 of the 2 that" in text
    assert "fewer than 10 studies, no claim" in text


def test_verdict_says_what_is_best_and_where_guided_stands():
    found = ranks(pca_logistic=1.5, linear_probe=2.5, guided_global=4.0)
    text = verdict(contrasts((0.1, 0.05, 0.2, 12)), found, 0.05)
    assert "In tissue, all classes x 1, pca logistic has the best mean rank (1.5 of 3 methods over 12 studies" in text
    assert "; another is within the critical difference; guided global has 4.0 (0.600)." in text


def test_verdict_looks_at_primary_contrasts_only():
    table = contrasts((0.1, 0.05, 0.2, 12)).assign(kind="secondary")
    assert (
        verdict(table, ranks(), 0.05)
        == "No primary contrast was run: this run says nothing about guided transfer learning."
    )

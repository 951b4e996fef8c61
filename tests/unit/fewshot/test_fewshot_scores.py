"""Scores, intervals and sentences against hand-computed values and closed forms."""

import numpy as np
import pandas as pd
import pytest
from scarceseq.fewshot.metrics import METRICS, balanced_accuracy, log_loss, measure
from scarceseq.fewshot.scores import contrast, mean_curves, pairs, rank, score_episodes, summarise
from scarceseq.fewshot.verdict import comparisons, sentences, verdict
from scipy import stats
from sentence_length import longest_sentence
from sklearn.metrics import balanced_accuracy_score, roc_auc_score


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


def test_the_share_of_queries_reaches_the_interval():
    tables = [predictions("guided@per_tensor", 4, 8), predictions("mean_rate@per_tensor", 2, 8)]
    for number, (_, table) in enumerate(tables):
        table[["support_study", "query_study"]] = "T0"
        table["predicted"] = table["predicted"].where((table["episode"] < 4) | (number == 0), table["label"])
    scores = score_episodes(tables)
    assert set(scores["queries"]) == {2.0}
    found = contrast(scores, 0.95)
    row = found[(found["metric"] == "balanced_accuracy") & (found["kind"] == "primary")].iloc[0]
    wide = scores[scores["metric"] == "balanced_accuracy"].pivot(index="episode", columns="method", values="value")
    values = wide["guided@per_tensor"] - wide["mean_rate@per_tensor"]
    half = stats.t.ppf(0.975, 7) * values.std(ddof=1) * np.sqrt(1 / 8 + 2.0)
    assert row["high"] - row["low"] == pytest.approx(2 * half)
    assert values.std() > 0
    text = verdict(found, rank(scores, 0.95), 0.05, 0.95)
    assert "What rests on one study holds for random divisions of it" in text


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
    rights = {"guided@per_tensor": 4, "mean_rate@per_tensor": 2, "linear_probe": 2, "full_fine_tuning": 0}
    return score_episodes([predictions(*item) for item in rights.items()])


def test_scores_are_of_test_episodes_only_one_row_per_metric(scores):
    part = scores[(scores["method"] == "mean_rate@per_tensor") & (scores["metric"] == "balanced_accuracy")]
    assert part["value"].tolist() == [0.5] * 4
    assert part["study"].tolist() == ["T0", "T1", "T2", "T3"]
    assert list(scores.columns[:4]) == ["base", "method", "task", "study"]
    assert len(scores) == 4 * 4 * len(METRICS)


def test_summary_lists_cells_that_were_not_run_with_their_reason(scores):
    plans = [dict(task="t", way="2", shot=1, planned=4), dict(task="t", way="9", shot=1, planned=0, reason="too few")]
    methods = [("mlp", method, "t") for method in scores["method"].unique()] * 2
    summary = summarise(scores, plans, methods, 0.95)
    assert len(summary) == 4 * 2 * len(METRICS)
    missing = summary[summary["status"] == "not run"]
    assert set(missing["way"]) == {"9"}
    assert set(missing["reason"]) == {"too few"}
    assert missing["mean"].isna().all()
    run = summary[(summary["status"] == "run") & (summary["metric"] == "balanced_accuracy")].set_index("method")
    assert run["mean"].to_dict() == {
        **{"guided@per_tensor": 1.0, "mean_rate@per_tensor": 0.5, "linear_probe": 0.5, "full_fine_tuning": 0.0}
    }
    assert set(run["episodes"]) == {4}


def test_summary_says_how_many_fits_diverged():
    key, table = predictions("scratch", 4)
    table["diverged"] = table["episode"] == 2
    summary = summarise(score_episodes([(key, table)]), [], [], 0.95)
    assert all(reason.endswith("1 of 4 test fits diverged") for reason in summary["reason"])


def test_contrasts_are_paired_differences_primary_ones_as_written_down(scores):
    table = contrast(scores, 0.95)
    table = table[table["metric"] == "balanced_accuracy"].set_index(["method", "against"])
    assert table["difference"].to_dict() == {
        ("guided@per_tensor", "mean_rate@per_tensor"): 0.5,
        ("guided@per_tensor", "linear_probe"): 0.5,
        ("guided@per_tensor", "full_fine_tuning"): 1.0,
        ("linear_probe", "full_fine_tuning"): 0.5,
        ("mean_rate@per_tensor", "full_fine_tuning"): 0.5,
    }
    assert table["kind"].tolist() == ["primary"] * 2 + ["secondary"] * 3


def test_each_guide_is_compared_with_its_own_controls():
    primary = [pair[:2] for pair in pairs(["guided@global", "mean_rate@per_tensor", "mean_rate@global"])]
    assert primary == [("guided@global", "mean_rate@global")]


def test_no_scores_at_all_give_empty_tables_with_columns():
    scores = score_episodes([])
    assert {"base", "metric", "value"} <= set(scores.columns)
    assert {"difference", "kind"} <= set(contrast(scores, 0.95).columns)
    plans = [dict(task="t", way=9, shot=1, planned=0, reason="too few")]
    assert len(summarise(scores, plans, [("mlp", "scratch", "t")], 0.95)) == len(METRICS)
    assert {"mean_rank", "critical_difference"} <= set(rank(scores, 0.95).columns)


def test_a_method_without_a_network_is_compared_with_every_seed_of_the_other():
    tables = []
    for seed, right in ((1, 4), (2, 2)):
        key, table = predictions("guided@per_tensor", right)
        tables.append((key, table.assign(seed=seed)))
    tables.append(predictions("full_fine_tuning", 0))
    table = contrast(score_episodes(tables), 0.95)
    row = table[table["metric"] == "balanced_accuracy"].iloc[0]
    assert (row["difference"], row["seeds"], row["episodes"]) == (0.75, 2, 4)
    assert "and seeds" in row["interval"]


def test_p_values_are_adjusted_for_all_primary_contrasts_of_a_metric():
    rights = {"guided@per_tensor": 4, "mean_rate@per_tensor": 2, "linear_probe": 1, "full_fine_tuning": 0}

    def table(studies):
        tables = [predictions(*item, studies=studies) for item in rights.items()]
        guided = tables[0][1]  # wrong in one study, so that the studies differ
        tables[0][1]["predicted"] = guided["predicted"].where(guided["episode"] > 0, "x")
        return contrast(score_episodes(tables), 0.95)

    part = table(12)
    part = part[(part["metric"] == "balanced_accuracy") & (part["kind"] == "primary")].set_index("against")
    small, large = part["p"].sort_values()  # Holm's two steps by hand
    assert 0 < small < large < 0.05
    assert sorted(part["p_holm"]) == pytest.approx([2 * small, max(2 * small, large)])
    assert table(9)["p_holm"].isna().all()


def test_mean_ranks_and_their_critical_difference():
    rights = {"a": 4, "b": 2, "c": 2, "d": 0}
    found = rank(score_episodes([predictions(*item, studies=6) for item in rights.items()]), 0.95).set_index("method")
    assert found["mean_rank"].to_dict() == {"a": 1.0, "b": 2.5, "c": 2.5, "d": 4.0}
    # Oracle: Demsar 2006, table 5: q = 2.569 for 4 methods at 0.05.
    assert found["critical_difference"].iloc[0] == pytest.approx(2.569 * np.sqrt(4 * 5 / (6 * 6)), rel=1e-3)
    assert found["friedman_p"].iloc[0] < 0.01


def test_equal_means_are_ties_over_however_many_seeds():
    generator, tables = np.random.default_rng(0), []
    for study in range(6):
        values = generator.choice([0.1, 1 / 3, 2 / 3, 0.9], 33)
        for method, seeds in (("one", 1), ("five", 5), ("more", 5)):
            tables += [pd.DataFrame({"value": values}).assign(method=method, seed=s, study=study) for s in range(seeds)]
    scores = pd.concat(tables).assign(base="mlp", task="t", way="2", shot=1, metric="balanced_accuracy")
    found = rank(scores, 0.95)
    assert found["mean_rank"].tolist() == [2.0, 2.0, 2.0]
    assert set(found["friedman_p"]) == {1.0}


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
        dict(base="mlp", task="tissue", way=3, shot=1, metric="balanced_accuracy", method="guided@per_tensor")
        | dict(against="linear_probe", difference=d, low=low, high=high, studies=studies, episodes=40)
        | dict(interval="jackknife over query studies, t", reason="" if np.isfinite(low) else "2 query studies")
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
        ((0.08, 0.03, 0.13, 12), "better"),
        ((-0.08, -0.13, -0.03, 12), "worse"),
        ((0.01, -0.02, 0.04, 12), "no difference"),
        ((0.0, 0.0, 0.0, 12), "no difference"),
        ((0.04, -0.02, 0.10, 12), "undecided"),
        ((-0.04, -0.10, 0.02, 12), "undecided"),
        ((0.20, np.nan, np.nan, 2), "not tested"),
    ],
)
def test_each_outcome_has_its_sentence_and_is_counted(found, expected):
    table = contrasts(found)
    assert [each.outcome for each in comparisons(table, 0.05)] == [expected]
    [text] = sentences(table, 0.05)
    assert text.startswith("Tissue, 3-way 1-shot, base mlp: ")
    assert ("2 query studies" in text) == (expected == "not tested")
    whole = verdict(table, ranks(), 0.05, 0.95)
    assert whole.startswith(f"All primary contrasts of guided few-shot learning, 1 comparison: 1 {expected} (mean")
    assert (
        f"Guided on per tensor against the frozen embedding with a linear classifier, 1 comparison: 1 {expected}"
        in whole
    )
    assert "seed" not in whole


def test_verdict_says_which_share_of_test_fits_diverged_the_worst_first():
    told = pd.DataFrame(
        [("a", 0.0), ("guided@global", 0.56), ("scratch", 0.05), ("l2_sp", 0.2), ("ewc", 0.1), ("lora", 0.01)],
        columns=["method", "diverged"],
    ).assign(task="tissue", way="3", shot=1)
    table = contrasts((0.1, 0.05, 0.2, 12))
    whole = verdict(table, ranks(), 0.05, 0.95, told)
    assert (
        "Test fits diverged, which counts as chance: guided on global 56% (tissue, 3 classes x 1), l2 sp 20% (tissue, "
        "3 classes x 1), ewc 10% (tissue, 3 classes x 1), and in 2 more cells." in whole
    )
    assert "diverged" not in verdict(table, ranks(), 0.05, 0.95, told[:1])


def test_verdict_of_one_seed_makes_no_claim():
    one, two = (contrasts((0.1, 0.05, 0.2, 12)).assign(seeds=seeds) for seeds in (1, 2))
    assert "One pre-training seed carries no claim beyond the base models at hand" in verdict(one, ranks(), 0.05, 0.95)
    assert "2 pre-training seeds carry no claim" in verdict(two, ranks(), 0.05, 0.95)
    mixed = pd.concat([one, contrasts((0.1, 0.05, 0.2, 12))], ignore_index=True)
    assert "Where there are fewer seeds than elsewhere: one pre-training seed carries no claim" in verdict(
        mixed, ranks(), 0.05, 0.95
    )


def test_verdict_counts_outcomes_of_own_controls_and_baselines_and_what_holds_after_adjustment():
    table = contrasts((0.1, 0.05, 0.2, 5), (0.1, 0.05, 0.2, 12), (-0.1, -0.2, -0.05, 12))
    table.loc[1, "against"] = "tensor_mean_rate@per_tensor"
    table.loc[2, "p_holm"] = 0.06
    text = verdict(table, ranks(), 0.05, 0.95)
    mean = "(mean difference in balanced accuracy"
    assert f"3 comparisons: 2 better, 1 worse {mean} +0.033); 1 of the 3 clear ones holds after Holm's" in text
    assert (
        f"Guided on per tensor against its mean rate for all weights or each tensor, 1 comparison: 1 better {mean}"
        in text
    )
    assert (
        f"linear classifier, 2 comparisons: 1 better, 1 worse {mean} +0.000); 0 of the 2 clear ones hold after" in text
    )
    assert longest_sentence(text) <= 40
    assert "fewer than 10 studies, no claim" in text


def test_verdict_says_what_is_best_and_where_guided_stands():
    found = ranks(**{"logistic@pca": 1.5, "linear_probe": 2.5, "guided@global": 4.0})
    text = verdict(contrasts((0.1, 0.05, 0.2, 12)), found, 0.05, 0.95)
    assert (
        "In tissue, all classes x 1, logistic on pca has the best mean rank (1.5 of 3 methods over 12 studies" in text
    )
    assert "; another is within the critical difference. There guided on global has mean rank 4.0 (0.600)." in text


def test_verdict_names_no_best_where_all_are_alike_and_says_where_none_can_be_told():
    primary = contrasts((0.1, 0.05, 0.2, 12))
    alike = verdict(primary, ranks(**{"guided@global": 2.0, "linear_probe": 2.0, "scratch": 2.0}), 0.05, 0.95)
    assert "In tissue, all classes x 1, all 3 methods have the same mean rank (over 12 studies, mean balanced" in alike
    unclear = ranks(**{"guided@global": 1.5, "linear_probe": 1.5, "scratch": 3.0}).assign(friedman_p=0.3)
    text = verdict(primary, unclear, 0.05, 0.95)
    assert "guided on global and 1 more have the best mean rank (1.5 of 3 methods over 12 studies" in text
    assert (
        "; Friedman's test does not tell the methods apart (p = 0.3). There guided on global has mean rank 1.5" in text
    )
    assert "critical difference" not in text


def test_verdict_looks_at_primary_contrasts_only():
    table = contrasts((0.1, 0.05, 0.2, 12)).assign(kind="secondary")
    assert (
        verdict(table, ranks(), 0.05, 0.95)
        == "No primary contrast was run: this run says nothing about guided transfer learning."
    )

"""The comparison of embeddings: fitted on training folds, floors at chance, intervals by closed form, honest words."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
from scarceseq.pretrain.comparison import classification as comparison
from scarceseq.pretrain.comparison.classification import (
    Labelled,
    divisions,
    labelled_samples,
    score_representations,
)
from scarceseq.pretrain.comparison.contrasts import contrast, not_compared, verdict
from scarceseq.pretrain.comparison.representations import REPRESENTATIONS
from scarceseq.pretrain.run import initial_base
from scarceseq.pretrain.samples import read_matrix
from scarceseq.pretrain.settings import ComparisonSettings, ComparisonTask
from scipy import stats
from sentence_length import longest_sentence
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from small_corpus import small_expression, write_corpus

SETTINGS = ComparisonSettings(folds=3, repeats=2, penalties=(10, 1), confidence=0.95, smallest_difference=0.02)
TASK = ComparisonTask(split="default", label="tissue", protocol="cross_study", classes=(), group="")
TISSUES = ("heart", "liver", "lung")


@pytest.fixture
def matrix(tmp_path):
    """Four validation and five test studies, each with three tissues that move some genes."""
    expression, studies = small_expression()
    values = np.array(TISSUES, dtype=object)[np.arange(len(studies)) % 3]
    for number, tissue in enumerate(TISSUES):
        expression[values == tissue, 5 * number : 5 * number + 4] += 4
    plain = read_matrix(*write_corpus(tmp_path / "corpus", expression, studies), "default")
    roles = np.repeat(["pretrain"] * 4 + ["validation"] * 4 + ["test"] * 5, 10)
    values[::17] = ""
    return dataclasses.replace(plain, roles=roles, attributes={"tissue": values})


@pytest.fixture
def bases(matrix, settings):
    found = {seed: initial_base(matrix, settings, seed, torch.device("cpu")) for seed in (1, 2)}
    for seed, base in found.items():
        base.information["training_studies"] = [f"study{number:02d}" for number in range(4)]
        torch.nn.init.normal_(base.network.encoder.linear.weight, generator=torch.Generator().manual_seed(seed))
    return found


def test_every_study_is_tested_once_per_repeat_and_never_trained_on_then(matrix):
    data = labelled_samples(matrix, TASK, "test")
    tested = []
    for repeat, _, train, test in divisions(data, TASK, SETTINGS, 1):
        assert not set(data.studies[train]) & set(data.studies[test])
        assert len(train) + len(test) == len(data.rows)
        tested += [(repeat, study) for study in set(data.studies[test])]
    assert sorted(tested) == sorted((repeat, study) for repeat in range(2) for study in set(data.studies))


def test_classes_that_are_named_are_the_only_ones(matrix):
    task = dataclasses.replace(TASK, classes=("lung", "heart"))
    assert set(labelled_samples(matrix, task, "test").labels) == {"lung", "heart"}
    assert set(labelled_samples(matrix, TASK, "test").labels) == set(TISSUES)


def test_within_a_study_no_group_is_on_both_sides_and_all_classes_are_trained_on():
    labels = np.array(["a", "b"] * 12 + ["c"], dtype=object)
    groups = np.repeat([f"mouse{number}" for number in range(13)], 2)[:25]
    data = Labelled(np.arange(25), labels, np.array(["one"] * 25), groups)
    task = dataclasses.replace(TASK, protocol="within_study", group="mouse")
    found = divisions(data, task, SETTINGS, 1)
    assert len(found) == 6
    for _, _, train, test in found:
        assert not set(groups[train]) & set(groups[test])
        assert set(labels[train]) == {"a", "b"} == set(labels[test]), "the class of one group is left out"


def test_scores_are_those_of_scikit_learn_study_by_study(matrix):
    data = labelled_samples(matrix, TASK, "test")
    features = np.random.default_rng(1).normal(size=(len(data.rows), 4)) + (data.labels == "lung")[:, None]
    parts = divisions(data, TASK, SETTINGS, 1)
    found = {(row["study"], row["repeat"]): row["value"] for row in comparison.scores(features, data, parts, [1.0])[0]}
    for repeat, _, train, test in parts:
        model = LogisticRegression(C=1.0, max_iter=500).fit(features[train], data.labels[train])
        for study in set(data.studies[test]):
            own = test[data.studies[test] == study]
            expected = balanced_accuracy_score(data.labels[own], model.predict(features[own]))
            assert found[study, repeat] == pytest.approx(expected)


def test_more_features_than_samples_give_the_same_labels_as_the_plain_fit():
    generator = np.random.default_rng(2)
    training, test = generator.normal(size=(30, 200)), generator.normal(size=(40, 200))
    labels = np.array(TISSUES)[generator.integers(0, 3, 30)]
    expected = LogisticRegression(C=0.1, max_iter=5000, tol=1e-8).fit(training, labels).predict(test)
    assert (comparison.predict(*spanned(training, labels, test), 0.1) == expected).mean() > 0.97


def spanned(training, labels, test):
    training, test = comparison.spanned(training, test)
    return training, labels, test


def test_the_space_that_samples_span_is_sought_once_for_all_penalties(matrix, monkeypatch):
    data = labelled_samples(matrix, TASK, "test")
    features, sought = np.random.default_rng(1).normal(size=(len(data.rows), 200)), []
    plain = np.linalg.svd
    monkeypatch.setattr(np.linalg, "svd", lambda *given, **named: sought.append(1) or plain(*given, **named))
    parts = divisions(data, TASK, SETTINGS, 1)
    together = comparison.scores(features, data, parts, [10, 1, 100])
    assert len(sought) == len(parts)
    assert together == [comparison.scores(features, data, parts, [penalty])[0] for penalty in (10, 1, 100)]


def test_samples_above_the_cap_are_drawn_by_turns_and_by_the_seed():
    studies = np.repeat(["large", "small", "tiny"], [300, 20, 3])
    labels = np.array(["a", "b"] * 161 + ["a"], dtype=object)
    data = Labelled(np.arange(323), labels, studies, np.arange(323).astype(str))
    drawn = comparison.draw_samples(data, 63, 1)
    assert np.array_equal(drawn.labels, labels[drawn.rows])
    assert np.array_equal(drawn.groups, drawn.rows.astype(str))
    counts = pd.Series(drawn.studies).value_counts()
    assert counts.to_dict() == {"large": 40, "small": 20, "tiny": 3}
    assert pd.Series(drawn.labels[drawn.studies == "large"]).value_counts().to_dict() == {"a": 20, "b": 20}
    assert np.array_equal(drawn.rows, comparison.draw_samples(data, 63, 1).rows)
    assert not np.array_equal(drawn.rows, comparison.draw_samples(data, 63, 2).rows)
    assert comparison.draw_samples(data, 323, 1) is data


def test_a_cap_is_said(matrix, bases):
    few = dataclasses.replace(SETTINGS, most_samples=30)
    scores, said = score_representations(matrix, bases, TASK, few, 3)
    assert said == "30 of 47 labelled test samples were drawn, 30 of 38 labelled validation samples were drawn"
    text = verdict(contrast(scores, "cross_study", 0.95), "mlp", "tissue", 500, False, 0.02, said)
    assert "30 of 47 labelled test samples were drawn" in text


def test_a_classifier_that_sees_the_study_alone_is_at_chance(matrix, bases):
    scores, _ = score_representations(matrix, bases, TASK, SETTINGS, 3)
    means = scores.groupby("method")["value"].mean()
    assert means["study_identity"] == pytest.approx(1 / 3), "each test study has the three tissues"
    assert means["majority"] == pytest.approx(1 / 3)
    assert means["genes"] > 0.9, "the task can be done"


def test_every_method_is_scored_on_the_same_divisions_and_has_as_many_candidates(matrix, bases):
    scores, _ = score_representations(matrix, bases, TASK, SETTINGS, 3)
    keys = {
        key: set(zip(part["study"], part["repeat"], part["fold"], strict=True))
        for key, part in scores.groupby(["method", "seed"])
    }
    assert set(keys) == {
        *((name, seed) for name in ("embedding", "random_encoder") for seed in (1, 2)),
        *((name, 1) for name in ("principal_components", "genes", "majority", "study_identity")),
    }
    assert len(set(map(frozenset, keys.values()))) == 1
    read, rows = lambda rows: bases[1].standardise(matrix.expression[rows]).numpy().astype(float), np.arange(40)
    forms = {name: represent(bases[1], read(rows), read, rows, 1) for name, represent in REPRESENTATIONS.items()}
    assert {name: len(found) for name, found in forms.items()} == dict.fromkeys(REPRESENTATIONS, 2)


def test_components_are_those_of_the_rows_trained_on_alone(matrix, bases):
    read = lambda rows: bases[1].standardise(matrix.expression[rows]).numpy().astype(float)  # noqa: E731
    rows = np.arange(40)
    expected = PCA(4, svd_solver="full").fit(read(rows))
    whole, quarter = REPRESENTATIONS["principal_components"](bases[1], read(np.arange(80, 130)), read, rows, 1)
    scores = expected.transform(read(np.arange(80, 130)))
    scale = np.sqrt(expected.explained_variance_.sum() * 39 / 40)
    np.testing.assert_allclose(np.abs(whole), np.abs(scores) / scale, rtol=1e-6, atol=1e-9)
    assert quarter.shape == (50, 1)


def test_labels_and_values_of_a_test_fold_change_nothing_that_is_fitted_for_it(matrix, bases, monkeypatch):
    """The labels of the tested studies are permuted: what is predicted there stays."""
    data = labelled_samples(matrix, TASK, "test")
    features = np.random.default_rng(4).normal(size=(len(data.rows), 5))
    seen = []
    plain = comparison.predict
    monkeypatch.setattr(comparison, "predict", lambda *given: seen.append(plain(*given)) or seen[-1])
    part = divisions(data, TASK, SETTINGS, 5)[:1]
    comparison.scores(features, data, part, [1.0])
    labels = data.labels.copy()
    labels[part[0][3]] = np.random.default_rng(6).permutation(labels[part[0][3]])
    comparison.scores(features, dataclasses.replace(data, labels=labels), part, [1.0])
    np.testing.assert_array_equal(*seen)


def test_hyper_parameters_do_not_depend_on_test_labels(matrix, bases):
    before, _ = score_representations(matrix, bases, TASK, SETTINGS, 3)
    values = matrix.attributes["tissue"].copy()
    test = matrix.rows(["test"])
    values[test] = np.random.default_rng(7).permutation(values[test])
    after, _ = score_representations(
        dataclasses.replace(matrix, attributes={"tissue": values}), bases, TASK, SETTINGS, 3
    )
    chosen = [table.groupby(["method", "seed"])["candidate"].unique().map(list).to_dict() for table in (before, after)]
    assert chosen[0] == chosen[1]


def without(matrix, kept):
    """The matrix with the labels of test samples where `kept` holds, and of all others."""
    values = matrix.attributes["tissue"]
    return dataclasses.replace(matrix, attributes={"tissue": np.where((matrix.roles == "test") & ~kept, "", values)})


@pytest.mark.parametrize(
    ("kept", "why"),
    [
        (lambda matrix, values: values == "none", "are 0, the classes 0; two of each are needed"),
        (lambda matrix, values: values == "lung", "are 5, the classes 1; two of each are needed"),
        (lambda matrix, values: matrix.studies == "study08", "are 1, the classes 3; two of each are needed"),
        (
            lambda matrix, values: (values == "lung") == (matrix.studies == "study08"),
            "no test study of split 'default' has two classes of 'tissue' that others have too",
        ),
    ],
    ids=["no label", "one class", "one study", "nothing shared"],
)
def test_what_cannot_be_compared_is_said_and_the_run_goes_on(matrix, bases, kept, why):
    values = matrix.attributes["tissue"]
    some = without(matrix, kept(matrix, values) & (values != "heart"))
    if why.startswith("are 1, the classes 3"):
        some = without(matrix, kept(matrix, values))
    scores, reason = score_representations(some, bases, TASK, SETTINGS, 3)
    assert scores.empty
    assert list(scores.columns) == comparison.COLUMNS
    assert why in reason
    assert not_compared("mlp", "tissue", reason) == (
        f"Does pre-training help (base mlp, tissue)? That cannot be compared, because {reason}."
    )


def table(embedding, rivals, studies=6, seeds=5):
    """Scores in which every study differs from the next by the same amount in all methods, plus a little noise."""
    generator, rows = np.random.default_rng(10), []
    for study in range(studies):
        for seed in range(1, seeds + 1):
            size = {"training_samples": 40, "test_samples": 10, "repeat": 0, "fold": study, "study": f"S{study}"}
            for method, mean in {"embedding": embedding, **rivals}.items():
                if seed == 1 or method in ("embedding", "random_encoder"):
                    value = mean + 0.02 * study + 0.004 * generator.normal()
                    rows.append({"method": method, "seed": seed, "value": value} | size)
    return pd.DataFrame(rows)


RIVALS = {"principal_components": 0.6, "genes": 0.5, "random_encoder": 0.4}


@pytest.mark.parametrize(
    ("embedding", "studies", "said"),
    [
        (0.7, 6, " does better than principal components of the same samples (difference in balanced accuracy +0.1"),
        (0.5, 6, " does worse than principal components of the same samples (difference in balanced accuracy -0.0"),
        (0.6, 6, " does as well as principal components of the same samples to within 0.02 (difference"),
        (0.6, 2, " was not tested against principal components of the same samples: 2 studies; an interval needs 3"),
    ],
    ids=["better", "worse", "no difference", "not tested"],
)
def test_the_sentence_says_what_the_table_holds(embedding, studies, said):
    found = contrast(table(embedding, RIVALS, studies), "cross_study", 0.95)
    text = verdict(found, "mlp", "tissue", 500, False, 0.02)
    assert " against 0.6" in text
    assert said in text.split("Frozen embedding")[1]
    assert ("pre-training does not pay here" in text) == ("does worse" in said)
    assert "claim" not in text
    assert longest_sentence(text) <= 40


def test_what_carries_no_claim_is_said():
    few = contrast(table(0.7, RIVALS, 1, 1), "within_study", 0.95)
    assert few[0]["low"] is None
    text = verdict(few, "mlp", "sex", 18, True, 0.02)
    for words in (
        "within 1 study: nothing here is a claim about other studies",
        "18 samples to train on are too few for any claim",
        "One pre-training seed carries no claim beyond the base models at hand",
        "has learned this label",
    ):
        assert words in text


def test_one_study_gets_the_corrected_interval_over_its_divisions():
    one = table(0.7, RIVALS, 1)
    shifts = {"embedding": [0, 0.03, 0.01, 0.02]}
    divided = [
        one.assign(repeat=r, value=one["value"] + (one["method"] == "embedding") * shifts["embedding"][r])
        for r in range(4)
    ]
    scores = pd.concat(divided)
    [first, *_] = contrast(scores, "within_study", 0.95)
    wide = scores.pivot(index="repeat", columns=["method", "seed"], values="value")
    values = (wide["embedding"].mean(axis=1) - wide["principal_components"][1]).to_numpy()
    half = stats.t.ppf(0.975, 3) * np.sqrt(values.var(ddof=1) * (1 / 4 + 10 / 40))
    assert (first["low"], first["high"]) == pytest.approx((values.mean() - half, values.mean() + half))
    assert first["interval"] == "corrected resampled t, within one study"


def test_differences_that_are_all_equal_give_no_interval():
    scores = table(0.7, RIVALS).assign(value=1.0)
    [first, *_] = contrast(scores, "cross_study", 0.95)
    assert (first["low"], first["difference"], first["interval"]) == (None, 0.0, "none: all differences are equal")
    assert "samples: all differences are equal (difference" in verdict([first], "mlp", "tissue", 500, False, 0.02)

"""The best classifier of a study. Oracles: scikit-learn, the moderated test (checked against limma), brute force."""

import numpy as np
import pandas as pd
import pytest
from scarceseq.errors import InputError
from scarceseq.own_study.best import best_of_study
from scarceseq.own_study.candidates import CANDIDATES, SHRUNKEN_GENES, STRENGTHS, TOP_GENES
from scarceseq.own_study.differential import design_matrix, differential_genes, expressed, log_cpm, moderated
from scarceseq.own_study.features import gene_set_scores
from scarceseq.own_study.folds import divided, inner_divided
from scarceseq.own_study.learning_curve import fit_power_law, learning_curve, summarise_curve
from scarceseq.own_study.logistic import logistic_scores, ridge_logistic, sample_coordinates
from scarceseq.own_study.names import BEST_CANDIDATES
from scarceseq.own_study.nested import best_scores, nested_predictions
from scarceseq.own_study.permutation import permutation_scores, the_test
from scarceseq.own_study.sample_table import far_away
from scarceseq.own_study.settings import FoldSettings
from scarceseq.own_study.training_set import TrainingSet, study_values
from scarceseq.own_study.unfinished import Unfinished
from scarceseq.seeds import derive
from scipy.optimize import curve_fit
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import NearestCentroid
from sklearn.svm import SVC

SETTINGS = FoldSettings(folds=4, repeats=2, inner_folds=2)
QUICK = ["nearest_centroid@top_genes", "shrunken_centroids@all_genes"]


def made_up(classes=2, each=8, genes=300, shift=0.0, seed=1):
    """Counts (genes, samples) of which twenty genes differ by `shift` (log2) in each class, and samples."""
    generator = np.random.default_rng(seed)
    labels = np.repeat([f"class{name}" for name in range(classes)], each)
    means = np.exp(generator.normal(4, 1.5, genes))[:, None] * np.ones(len(labels))
    for number in range(classes):
        means[np.ix_(np.arange(20) + 20 * number, labels == f"class{number}")] *= 2**shift
    counts = generator.poisson(means * generator.gamma(8, 1 / 8, means.shape))
    samples = pd.DataFrame({"sample": [f"mine.s{place}" for place in range(len(labels))], "label": labels})
    return counts, samples.assign(study="mine", group=samples["sample"], block="", held_out=False)


def training_of(counts, samples, test=(0, 9)):
    rows = np.arange(len(samples))
    train = np.setdiff1d(rows, test)
    codes = pd.factorize(samples["label"], sort=True)[0]
    return TrainingSet(study_values(counts), train, np.array(test), codes[train])


@pytest.mark.parametrize("classes", [2, 3])
def test_genes_are_ranked_as_the_moderated_test_does(classes):
    counts, samples = made_up(classes, shift=1.0)
    training = training_of(counts, samples)
    learned, labels = counts[:, training.train], samples["label"].to_numpy()[training.train]
    kept = expressed(learned, labels)
    np.testing.assert_array_equal(training.kept, np.flatnonzero(kept[counts.sum(axis=1) > 0]))
    names = sorted(set(labels))
    design = design_matrix(samples.iloc[training.train], names, False)
    oracle = moderated(log_cpm(counts)[kept][:, training.train], design, list(range(1, classes)))
    expected = oracle["statistic"] ** 2 if classes == 2 else oracle["statistic"]
    np.testing.assert_allclose(training.statistic, expected, rtol=1e-8)
    np.testing.assert_allclose(training.moderated, oracle["variance"], rtol=1e-8)
    table, _ = differential_genes(learned, range(len(counts)), range(len(counts)), samples.iloc[training.train])
    assert training.kept[training.top[:10]].tolist() == table["gene_id"][:10].tolist()


@pytest.mark.parametrize("classes", [2, 4])
def test_many_regressions_at_once_are_those_of_scikit_learn(classes):
    generator = np.random.default_rng(2)
    train, test = generator.normal(size=(26, 90)), generator.normal(size=(5, 90))
    labels = np.arange(26) % classes
    labels[:4] = 0
    found = logistic_scores([sample_coordinates(train, test)], labels, STRENGTHS)
    for scores, strength in zip(found, STRENGTHS, strict=True):
        options = {"C": strength, "class_weight": "balanced", "tol": 1e-10, "max_iter": 10_000}
        peer = OneVsRestClassifier(LogisticRegression(**options)).fit(train, labels).decision_function(test)
        mine = scores[:, 1] * 2 if classes == 2 else scores
        np.testing.assert_allclose(mine, peer, atol=1e-4)
    with np.errstate(all="raise"):
        far = ridge_logistic(1e3 * train[None, :2], np.array([[1.0, -1.0]]), np.ones((1, 2)), np.array([1e3]))
    assert np.isfinite(far).all()


def test_shrunken_centroids_are_those_of_scikit_learn():
    counts, samples = made_up(3, genes=400, shift=1.5)
    training = training_of(counts, samples, test=(0, 9, 18))
    logs = training.values.logs[:, training.kept]
    scores = CANDIDATES["shrunken_centroids@all_genes"](training)
    deviation = np.sqrt(training.variance)
    scale = deviation + np.median(deviation)
    error = np.sqrt(1 / training.sizes - 1 / len(training.labels))[:, None]
    distance = np.sort(np.abs((training.means - training.grand) / (error * scale)).max(axis=0))[::-1]
    for genes, mine in zip(SHRUNKEN_GENES, scores, strict=True):
        threshold = distance[genes] if genes < len(distance) else 0.0
        if threshold == 0.0:
            centroids = training.means
        else:
            peer = NearestCentroid(shrink_threshold=threshold).fit(logs[training.train], training.labels)
            centroids = peer.centroids_
        apart = ((logs[training.test][:, None] - centroids) / scale) ** 2
        expected = -apart.sum(axis=2) / 2 / np.sqrt(min(genes, len(distance)))
        np.testing.assert_allclose(np.diff(mine, axis=1), np.diff(expected, axis=1), rtol=1e-6, atol=1e-8)


def test_the_support_vector_machine_is_that_of_scikit_learn():
    counts, samples = made_up(shift=1.0)
    training = training_of(counts, samples)
    logs = training.values.logs[:, training.kept] - training.grand
    size = np.sqrt((logs[training.train] ** 2).sum(axis=1).mean())
    peer = SVC(kernel="linear", C=0.1, class_weight="balanced").fit(logs[training.train] / size, training.labels)
    found = CANDIDATES["linear_svm@all_genes"](training)[0, :, 1]
    np.testing.assert_allclose(found, peer.decision_function(logs[training.test] / size), atol=1e-4)


def plain_nested(counts, samples, settings, seed):
    """Probabilities of the second class by plain loops: logistic regression on top genes, tuned on the same folds."""

    def odds(train, test, genes, strength):
        labels = samples["label"].iloc[train]
        kept = expressed(counts[:, train], labels.to_numpy())
        logs = log_cpm(counts)[kept]
        fitted = moderated(logs[:, train], design_matrix(samples.iloc[train], sorted(set(labels)), False), [1])
        top = np.argsort(-(fitted["statistic"] ** 2), kind="stable")[:genes]
        values = (logs[top].T - logs[top][:, train].mean(axis=1)) / np.sqrt(fitted["variance"][top] * len(top))
        machine = LogisticRegression(C=strength, class_weight="balanced", tol=1e-10, max_iter=10_000)
        return machine.fit(values[train], labels).decision_function(values[test])

    def probabilities(scores, temperature, size):
        return (size / (1 + np.exp(-scores / temperature)) + 1) / (size + 2)

    told = np.full(len(samples), np.nan)
    grid = [(genes, strength) for genes in TOP_GENES for strength in STRENGTHS]
    temperatures = np.exp(np.linspace(-np.log(20), np.log(20), 61))
    for fold, (train, test) in enumerate(divided(samples, settings.folds, derive(seed, "folds", 0))):
        labels = samples["label"].iloc[train].to_numpy()
        second = labels == sorted(set(labels))[1]
        pairs = inner_divided(samples.iloc[train], settings.inner_folds, derive(seed, "inner folds", 0, fold))
        best = (np.inf,)
        for genes, strength in grid:
            scores = np.empty(len(train))
            for within, left in pairs:
                scores[left] = odds(train[within], train[left], genes, strength)
            tried = []
            for temperature in temperatures:
                right = probabilities(np.where(second, scores, -scores), temperature, len(train))
                loss = (-np.log(right[second]).mean() - np.log(right[~second]).mean()) / 2
                tried.append((len(train) * loss + (np.log(temperature) / 0.5) ** 2 / 2, loss, temperature))
            _, loss, temperature = min(tried)
            if loss < best[0] - 1e-9:
                best = loss, temperature, genes, strength
        _, temperature, genes, strength = best
        told[test] = probabilities(odds(train, test, genes, strength), temperature, len(train))
    return told


@pytest.mark.parametrize("shift", [0.0, 0.7])
def test_nested_cross_validation_is_that_of_plain_loops_of_scikit_learn(shift):
    counts, samples = made_up(each=9, shift=shift, seed=5)
    found = nested_predictions(study_values(counts), samples, ["logistic@top_genes"], SETTINGS, 0, 3)
    mine = found[found["method"] == "best"].set_index("sample").loc[samples["sample"], "p_1"]
    np.testing.assert_allclose(mine, plain_nested(counts, samples, SETTINGS, 3), atol=2e-4)


@pytest.mark.parametrize("name", [name for name in BEST_CANDIDATES if name.endswith("_genes")])
def test_planted_differences_are_predicted_by_each_classifier(name):
    counts, samples = made_up(3, shift=2.0)
    accuracy, loss = best_scores(study_values(counts), samples, [name], SETTINGS, 1)
    assert accuracy > 0.9
    assert loss < 0.5


def test_labels_of_held_out_samples_change_no_prediction_and_no_choice():
    """With the same folds, other labels there leave genes, settings, classifier and probabilities alone."""
    counts, samples = made_up(each=10, shift=0.7)
    samples["held_out"] = samples.index % 5 == 0
    other = samples.assign(label=np.where(samples["held_out"], samples["label"].to_numpy()[::-1], samples["label"]))
    assert (samples["label"] != other["label"]).sum() == 4
    names = ["logistic@top_genes", *QUICK, "linear_svm@all_genes"]
    told, again = (nested_predictions(study_values(counts), each, names, SETTINGS, 0, 1) for each in (samples, other))
    columns = ["p_0", "p_1", "temperature", "candidate"]
    np.testing.assert_array_equal(told[columns].to_numpy(), again[columns].to_numpy())


def test_what_is_best_and_repeats_are_the_same_whole_or_resumed(tmp_path):
    counts, samples = made_up(shift=0.5)
    unlabelled = samples.iloc[:0]
    values = study_values(counts)
    whole = best_of_study(values, samples, unlabelled, QUICK, SETTINGS, 1, Unfinished(tmp_path / "a.json", "x"))
    killed = Unfinished(tmp_path / "b.json", "x")
    real = killed.add
    killed.add = lambda name, result: (real(name, result), 1 / 0)
    with pytest.raises(ZeroDivisionError):
        best_of_study(values, samples, unlabelled, QUICK, SETTINGS, 1, killed)
    left = Unfinished(tmp_path / "b.json", "x")
    assert list(left.results) == ["0"]
    again = best_of_study(values, samples, unlabelled, QUICK, SETTINGS, 1, left)
    pd.testing.assert_frame_equal(again.predictions, whole.predictions, check_exact=True)
    assert again.summary == whole.summary
    assert Unfinished(tmp_path / "b.json", "other").results == {}
    (tmp_path / "b.json").write_text("{")
    assert Unfinished(tmp_path / "b.json", "x").results == {}
    left.delete()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("b")] == []


def test_four_against_four_is_tested_by_all_35_partitions(tmp_path):
    counts, samples = made_up(each=4, shift=2.0)
    scores = permutation_scores(
        study_values(counts), samples, QUICK, SETTINGS, 99, 1, Unfinished(tmp_path / "a.json", "x")
    )
    assert len(scores) == 35
    test = the_test(scores, samples)
    assert test["exact"]
    true = scores.iloc[0]
    key = [(row.balanced_accuracy, -row.log_loss) for row in scores.itertuples()]
    assert test["p"] == pytest.approx(np.mean([each >= (true["balanced_accuracy"], -true["log_loss"]) for each in key]))
    assert test["p"] <= 0.05
    assert test["smallest_p"] == 1 / 35
    drawn = permutation_scores(
        study_values(counts), samples, QUICK, SETTINGS, 20, 1, Unfinished(tmp_path / "b.json", "x")
    )
    assert len(drawn) == 21
    assert not the_test(drawn, samples)["exact"]
    assert the_test(drawn.iloc[:1], samples) == {}


def test_blocks_pairs_and_groups_keep_their_labels_together(tmp_path):
    from scarceseq.own_study.exchange import arrangements, every_arrangement, permuted

    _, samples = made_up(each=8)
    blocks = samples.assign(block=["a", "a", "b", "b"] * 4)
    assert arrangements(blocks) == 70 * 70 / 2
    drawn = permuted(blocks, np.random.default_rng(1))
    assert (drawn.groupby("block")["label"].value_counts() == 4).all()
    cages = samples.assign(group=[f"cage{place // 2}" for place in range(16)], block=["a"] * 8 + ["b"] * 8)
    assert arrangements(cages) == 1  # each block has one label: nothing can be exchanged
    assert list(every_arrangement(cages)) == []
    pairs = samples.assign(group=[f"animal{place % 8}" for place in range(16)], block=["a", "b"] * 8)
    assert arrangements(pairs) == 2**7


def test_samples_without_a_label_are_predicted_and_strange_ones_are_flagged(tmp_path):
    counts, samples = made_up(each=10, shift=2.0)
    strange = np.random.default_rng(9).permutation(counts[:, :1])
    everybody = study_values(np.hstack([counts, strange]))
    without = samples.iloc[[3, 15]].assign(label=[None, "class9"])
    odd = pd.DataFrame({"sample": ["mine.odd"], "label": [None], "study": ["mine"]})
    others = pd.concat([without, odd])
    kept = samples.drop([3, 15])
    order = [*kept.index, 3, 15, 20]
    everybody = study_values(np.hstack([counts, strange])[:, order])
    unfinished = Unfinished(tmp_path / "a.json", "x")
    made = best_of_study(everybody, kept.reset_index(drop=True), others, QUICK, SETTINGS, 1, unfinished)
    table = made.samples.set_index("sample")
    assert table.loc[["s3", "s15"], "predicted"].tolist() == ["class0", "class1"]
    assert table.loc[["s3", "s15", "odd"], "outside"].tolist() == [False, False, True]
    assert table.loc["s3", "probability"] > 0.7
    assert table["wrong_share"].isna().sum() == 3
    assert (table["wrong_share"].dropna() <= 0.5).all()
    assert made.summary["unlabelled"] == 3
    assert made.summary["outside"] == 1
    alike, _ = made_up(each=20)
    inside = far_away(study_values(alike), np.arange(20), np.arange(20, 40))
    assert inside.mean() <= 0.3  # one in 21 is expected


def test_a_class_by_donor_that_folds_cannot_serve_is_left_out_group_by_group():
    """Types of 13 donors, some of two donors alone, who have several types each."""
    types = ["a", "b", "c", "d"] * 3
    donors = ["d1", "d1", "d2", "d2", "d2", "d3", "d3", "d3", "d4", "d4", "d1", "d4"]
    samples = pd.DataFrame({"label": types, "group": donors, "held_out": False})
    samples = samples[~((samples["label"] == "a") & (samples["group"] == "d4"))]
    served = 0
    for seed in range(30):
        pairs = divided(samples, 4, seed)
        for train, test in pairs:
            labels, groups = samples["label"].to_numpy(), samples["group"].to_numpy()
            assert set(labels) == set(labels[train])
            assert not set(groups[train]) & set(groups[test])
        assert sorted(row for _, test in pairs for row in test) == list(range(len(samples)))
        served += len(pairs) == samples["group"].nunique()
    assert served > 0
    with pytest.raises(InputError, match="a class has all its samples in one group"):
        divided(samples.assign(group=np.where(samples["label"] == "b", "d9", samples["group"])), 4, 1)


def test_scores_of_gene_sets_are_mean_ranks_within_each_sample(tmp_path):
    counts = np.random.default_rng(3).permuted(np.tile(np.arange(40), (3, 1)), axis=1).T
    names = pd.Series([f"Gene{place}" for place in range(40)])
    members = [3, 8, 20, 21, 30, 39]
    lines = ["one\thttp://x\t" + "\t".join(f"GENE{place}" for place in members), "two\t\tGENE1\tGENE2"]
    (tmp_path / "sets.gmt").write_text("\n".join(lines) + "\n")
    found = gene_set_scores(counts, names, tmp_path / "sets.gmt")
    assert found.shape == (3, 1)  # the other set has too few genes
    expected = [np.mean([(2 * (row < row[place]).sum() + 1) / 40 - 1 for place in members]) for row in counts.T]
    np.testing.assert_allclose(found[:, 0], expected)
    alone = gene_set_scores(counts[:, :1], names, tmp_path / "sets.gmt")
    np.testing.assert_array_equal(alone, found[:1])
    with pytest.raises(InputError, match=r"own_study\.gene_sets: no set of .* has 5 to 500 genes of the table"):
        gene_set_scores(counts, names + "x", tmp_path / "sets.gmt")


def rejected(datasets, tmp_path):
    """Share of null data sets, of overdispersed counts, 5 against 5, that the test calls significant at 5 %."""
    settings = FoldSettings(folds=3, repeats=1, inner_folds=2)
    hits = 0
    for number in range(datasets):
        counts, samples = made_up(each=5, genes=60, shift=0.0, seed=1000 + number)
        unfinished = Unfinished(tmp_path / "a.json", str(number))
        unfinished.add = unfinished.results.__setitem__
        scores = permutation_scores(study_values(counts), samples, QUICK, settings, 19, number, unfinished)
        hits += the_test(scores, samples)["p"] <= 0.05
    return hits


def test_of_null_studies_few_are_called_significant(tmp_path):
    assert rejected(16, tmp_path) <= 4  # binomial(16, 0.05) lies above once in a thousand


@pytest.mark.slow
def test_of_500_null_studies_at_most_a_twentieth_is_called_significant(tmp_path):
    assert rejected(500, tmp_path) <= 0.05 * 500 + 2.33 * np.sqrt(500 * 0.05 * 0.95)


def test_a_power_law_is_fitted_as_by_scipy_and_goes_on_where_it_went():
    sizes, at = np.array([2.0, 4, 6, 8, 12]), np.array([16.0, 24.0])
    true = 0.9 - 0.5 * sizes**-0.8
    np.testing.assert_allclose(fit_power_law(sizes, true, at), 0.9 - 0.5 * at**-0.8, atol=1e-6)
    noisy = true + np.random.default_rng(1).normal(0, 0.01, 5)
    bounds = ([-1, 0, 0.1], [1, 10, 2])
    (limit, slope, exponent), _ = curve_fit(
        lambda n, a, b, c: a - b * n**-c, sizes, noisy, (0.8, 0.5, 1), bounds=bounds
    )
    np.testing.assert_allclose(fit_power_law(sizes, noisy, at), limit - slope * at**-exponent, atol=5e-3)
    np.testing.assert_allclose(fit_power_law(sizes, np.full(5, 1.0), at), 1.0)
    assert (fit_power_law(sizes, 1 - 0.1 / sizes[::-1], at) <= 1).all()


def test_a_learning_curve_rises_and_is_the_same_when_resumed(tmp_path):
    counts, samples = made_up(each=9, shift=0.8)
    given = study_values(counts), samples, QUICK, SETTINGS, 1
    draws = learning_curve(*given, Unfinished(tmp_path / "a.json", "x"))
    means = draws.groupby("groups_per_class")["balanced_accuracy"].mean()
    assert means.index.tolist() == [2, 4, 5, 6, 8]
    assert means[8] > means[2]
    again = learning_curve(*given, Unfinished(tmp_path / "a.json", "x"))
    pd.testing.assert_frame_equal(again, draws, check_exact=True)
    curve = summarise_curve(draws, 1)
    assert curve["groups_per_class"].max() == 18
    assert (curve["low"] <= curve["high"]).all()
    np.testing.assert_allclose(curve.loc[curve["observed"], "balanced_accuracy"], means)
    pairs = samples.assign(group=[f"animal{place % 9}" for place in range(18)])
    nothing = learning_curve(given[0], pairs, *given[2:], Unfinished(tmp_path / "b.json", "x"))
    assert nothing.empty
    assert summarise_curve(nothing, 1).empty

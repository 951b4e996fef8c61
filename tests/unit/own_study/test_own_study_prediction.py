"""A study of the user's own. Oracles: closed forms, brute force, planted genes, permuted labels."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scarceseq import registry
from scarceseq.archive.settings import UserStudySettings
from scarceseq.errors import InputError
from scarceseq.fewshot.calibration import calibrated, calibration_error, fit_temperature
from scarceseq.fewshot.cell import make_predictor
from scarceseq.fewshot.compose import compose
from scarceseq.fewshot.corpus import Episode, Episodes
from scarceseq.fewshot.method import Candidate
from scarceseq.guide.reference import reference_components
from scarceseq.own_study.attribution import exchange_losses, explain_fold, integrated_gradients, margin
from scarceseq.own_study.cross_validation import check_method, cross_validate
from scarceseq.own_study.exchange import arrangements, every_arrangement, permuted
from scarceseq.own_study.folds import fold_episodes
from scarceseq.own_study.gene_list import agreement, explain, floored_shares, gene_table
from scarceseq.own_study.sample_labels import labelled
from scarceseq.own_study.scores import contrasts, scores
from scarceseq.own_study.settings import FoldSettings
from scarceseq.own_study.study import own_corpus, read_own_study
from scarceseq.own_study.verdict import report
from scarceseq.pretrain.classifier import Classifier, make_classifier
from scarceseq.seeds import derive
from scarceseq.statistics.intervals import share_interval
from scarceseq.statistics.power import smallest_detectable_accuracy
from scipy import stats
from sentence_length import longest_sentence

SETTINGS = FoldSettings(folds=4, repeats=2, inner_folds=2, least_calibrated=10)
PLANTED = [3, 11, 30]


@pytest.fixture
def base(world):
    """The world's base, its genes with Ensembl ids, symbols and lengths."""
    world.base.gene_ids = [f"ENSMUSG{gene:04d}.2" for gene in range(40)]
    names = [f"Gene{gene}" for gene in range(40)]
    vocabulary = {"gene_names": names, "bp_length": [1000.0] * 40, "mean_tpm": [25.0] * 40}
    world.base.information["vocabulary"] = vocabulary
    return world.base


@pytest.fixture
def study(base):
    """Function that gives samples and corpus of a study of 24 samples, three genes apart by `shift` deviations."""

    def make(shift, seed=1):
        generator = np.random.default_rng(seed)
        labels = np.repeat(["control", "treated"], 12)
        values = 5 + generator.normal(0, 1.0, (24, 40))
        values[np.ix_(labels == "treated", PLANTED)] += shift
        samples = pd.DataFrame({"sample": [f"mine.{n:02d}" for n in range(24)], "study": "mine", "label": labels})
        samples = samples.assign(group=samples["sample"], held_out=False)
        reference = generator.normal(5, 1.0, (60, 40)).astype(np.float32)
        components = reference_components(base, reference, np.arange(60), 5, 1)
        return samples, *own_corpus(values.astype(np.float32), samples, base, components)

    return make


# What the model was made with; one study of the scouts comes from a joined corpus.
CARD = {"organism": "mouse", "training_studies": ["S01", "S02"], "scout_studies": ["S07", "human.SRP7"]}


@pytest.fixture
def predictors(base, guide, fitting):
    """Function that makes the predictors of some methods for a corpus."""

    def make(corpus, splits, names=("guided@per_tensor", "logistic@genes")):
        made = {}
        for name in names:
            method = compose(name)
            candidates = (
                [Candidate(0.1, 15), Candidate(0.01, 15)]
                if name == "guided@per_tensor"
                else [Candidate(1.0), Candidate(0.1)]
            )
            learned = guide if name == "guided@per_tensor" else None
            made[name] = (
                make_predictor(method, learned, candidates, corpus, splits, base, fitting, 5),
                candidates,
            )
        return made

    return make


def settings_of(tmp_path, counts, ids, gene_id_type="ensembl", organism=None):
    table = pd.DataFrame(counts.T, index=pd.Index(ids, name="gene"), columns=[f"s{n}" for n in range(len(counts))])
    table.to_csv(tmp_path / "counts.csv")
    labels = pd.DataFrame({"sample": table.columns, "label": ["a", "b"] * (len(counts) // 2)})
    labels.to_csv(tmp_path / "labels.tsv", sep="\t", index=False)
    known = {"counts": str(tmp_path / "counts.csv"), "labels": str(tmp_path / "labels.tsv"), "label_columns": ["label"]}
    fixed = {"name": "mine", "sample_column": "sample", "quantity": "counts", "min_protein_coding_share": 0.0}
    return UserStudySettings(**known, **fixed, gene_id_type=gene_id_type, organism=organism)


@pytest.fixture
def counts():
    return np.random.default_rng(3).poisson(200, (6, 40))


def test_ids_without_versions_symbols_and_orthologues_give_the_same_expression(tmp_path, base, counts):
    by_id = settings_of(tmp_path, counts, [gene.split(".")[0] for gene in base.gene_ids])
    _, expected, genes = read_own_study(by_id, base, CARD, None, 0.9)
    assert genes["row"].notna().all()
    names = base.information["vocabulary"]["gene_names"]
    order = np.random.default_rng(1).permutation(40)
    by_name = settings_of(tmp_path, counts[:, order], [names[gene] for gene in order], "symbol")
    np.testing.assert_array_equal(read_own_study(by_name, base, CARD, None, 0.9)[1], expected)

    pairs = [(f"ENSG{gene:05d}", f"ENSMUSG{gene:04d}") for gene in range(40)]
    table = "human\tmouse\n" + "".join(f"{human}\t{mouse}\n" for human, mouse in pairs)
    (tmp_path / "pairs.tsv").write_text(table)
    orthologues = {"columns": {"human": "human", "mouse": "mouse"}, "gene_id_type": "ensembl"}
    orthologues["table"] = str(tmp_path / "pairs.tsv")
    human = settings_of(tmp_path, counts[:, order], [f"ENSG{gene:05d}.7" for gene in order], organism="human")
    _, found, genes = read_own_study(human, base, CARD, orthologues, 0.9)
    np.testing.assert_array_equal(found, expected)
    assert genes["row"].iloc[3] == "ENSG00003"
    with pytest.raises(InputError, match="the model is of mouse, the study of human"):
        read_own_study(human, base, CARD, None, 0.9)
    with pytest.raises(InputError, match="the table has ensembl, the study symbol"):
        read_own_study(replace(human, gene_id_type="symbol"), base, CARD, orthologues, 0.9)


def test_a_pair_that_is_not_one_to_one_leaves_its_gene_at_the_mean(tmp_path, base, counts):
    pairs = [(f"ENSG{gene:05d}", f"ENSMUSG{gene:04d}") for gene in range(40)] + [("ENSG00007", "ENSMUSG0008")]
    (tmp_path / "pairs.tsv").write_text("human\tmouse\n" + "".join(f"{h}\t{m}\n" for h, m in pairs))
    orthologues = {"columns": {"human": "human", "mouse": "mouse"}, "gene_id_type": "ensembl"}
    orthologues["table"] = str(tmp_path / "pairs.tsv")
    human = settings_of(tmp_path, counts, [f"ENSG{gene:05d}" for gene in range(40)], organism="human")
    _, found, genes = read_own_study(human, base, CARD, orthologues, 0.9)
    assert genes.index[genes["row"].isna()].tolist() == [7, 8]
    with pytest.raises(InputError, match="38 one-to-one pairs of the table of orthologues are of the model"):
        read_own_study(human, base, CARD, orthologues, 0.99)
    np.testing.assert_array_equal(found[:, 7], np.full(6, base.mean[7]))


def test_too_few_genes_a_study_trained_on_and_missing_classes_are_refused(tmp_path, base, counts):
    few = settings_of(tmp_path, counts[:, :10], base.gene_ids[:10])
    with pytest.raises(InputError, match=r"user study mine: 25\.0% of the model's 40 genes"):
        read_own_study(few, base, CARD, None, 0.5)
    for names in (("S01", []), ("S07", []), ("mine", ["SRP9", "S01"]), ("mine", ["SRP7"])):
        with pytest.raises(InputError, match="model or its guides were made with the study S"):
            read_own_study(replace(few, name=names[0]), base, CARD, None, 0.5, names[1])
    study, _, _ = read_own_study(few, base, CARD, None, 0.2)
    assert labelled(study, "label", "", [], None)[0]["label"].tolist() == ["a", "b"] * 3
    with pytest.raises(InputError, match="a: 3; two classes are needed"):
        labelled(study, "label", "", ["a"], None)
    with pytest.raises(InputError, match=r"own_study\.classes: no sample has 'c' in column 'label'; it has a, b"):
        labelled(study, "label", "", ["a", "c"], None)
    wrong = replace(few, counts=settings_of(tmp_path, counts, [f"Gene{gene}" for gene in range(40)]).counts)
    with pytest.raises(InputError, match=r"gene_id_type ensembl.*: none of 40 names matches, such as Gene0"):
        read_own_study(wrong, base, CARD, None, 0.5)


def test_held_out_samples_may_have_any_label_or_none(tmp_path, base, counts):
    settings = settings_of(tmp_path, counts, base.gene_ids)
    batches = ["one", "one", "one", "one", "two", "three"]
    labels = pd.read_csv(settings.labels, sep="\t").assign(batch=batches)

    def held_out(values, **changes):
        labels.assign(**changes).to_csv(settings.labels, sep="\t", index=False)
        study, _, _ = read_own_study(replace(settings, label_columns=["batch", "label"]), base, CARD, None, 0.9)
        return labelled(study, "label", "", [], {"column": "batch", "values": values})

    both, none = held_out(["two", "three"])
    assert both["held_out"].tolist() == [False] * 4 + [True] * 2
    assert none.empty
    with pytest.raises(
        InputError, match=r"held_out\.values: no sample has 'four' in column 'batch'; it has one, three, two"
    ):
        held_out(["two", "four"])
    for changes in ({}, {"label": ["a", "b", "a", "b", "c", "b"]}, {"label": ["a", "b", "a", "b", None, "b"]}):
        tested, only = held_out(["two"], **changes)  # one class, one that nothing was learned of, none
        assert not tested["held_out"].any()
        assert only["sample"].tolist() == ["mine.s4"]
    tested, only = held_out(["two"], label=["a", "b", "a", "b", "a", None])
    assert only["sample"].tolist() == ["mine.s4", "mine.s5"]
    assert len(tested) == 4


def test_folds_hold_each_sample_out_once_and_never_split_a_group(study):
    samples, _, _ = study(1.0)
    samples["group"] = [f"m{number // 2}" for number in range(24)]
    held_out = []
    for _, outer, inner in fold_episodes(samples, 4, 3, 0, 1):
        train, test = (set(outer.loc[outer["part"] == part, "sample"]) for part in ("support", "query"))
        group = samples.set_index("sample")["group"]
        assert not set(group[list(train)]) & set(group[list(test)])
        assert set(inner["sample"]) == train  # what is chosen is chosen without the held-out samples
        held_out += test
    assert sorted(held_out) == samples["sample"].tolist()


def test_permuted_labels_keep_what_groups_are(study):
    samples, _, _ = study(1.0)
    whole = samples.assign(group=[f"m{number // 3}" for number in range(24)])
    drawn = permuted(whole, np.random.default_rng(1))
    assert (drawn.groupby("group")["label"].nunique() == 1).all()
    assert drawn["label"].tolist() != whole["label"].tolist()
    assert arrangements(whole) == 35  # 8 groups, 4 of them treated: 70 ways, and the classes may change names
    paired = samples.assign(group=[f"m{number % 12}" for number in range(24)])
    drawn = permuted(paired, np.random.default_rng(1))
    assert (drawn.groupby("group")["label"].nunique() == 2).all()
    assert arrangements(paired) == 2**11
    assert arrangements(samples) == 2704156 / 2  # 24 over 12


@pytest.mark.parametrize(
    ("labels", "groups", "held_out"),
    [
        ("aaabbb", "123456", "000000"),  # 20 ways, of which each is the same as another under other names
        ("aabbcc", "123456", "000000"),
        ("aaabb", "12345", "00000"),
        ("aabbcc", "121233", "000000"),
        ("aababb", "123456", "000111"),
        ("aabbab", "123456", "000011"),
    ],
)
def test_arrangements_are_those_that_differ_by_more_than_names(labels, groups, held_out):
    """Oracle: many drawn permutations, each as the sets of samples that share a label."""
    samples = pd.DataFrame({"label": list(labels), "group": list(groups)})
    samples = samples.assign(held_out=[part == "1" for part in held_out])
    generator = np.random.default_rng(2)
    seen = {frozenset(map(tuple, permuted(samples, generator).groupby("label").indices.values())) for _ in range(600)}
    assert arrangements(samples) == len(seen)
    every = [samples["label"].to_numpy(), *every_arrangement(samples)]
    parts = [frozenset(map(tuple, samples.assign(label=each).groupby("label").indices.values())) for each in every]
    assert len(parts) == len(set(parts)) == len(seen)
    assert set(parts) == seen


LIKE_IT = ("best_of_counts", "logistic@pca")


def made_up_report(samples, right, warnings=(), permuted_accuracy=0.5, draws=39, others=LIKE_IT):
    """Report of a best classifier and others like it, cross-validated once."""
    classes = np.unique(samples["label"])
    told = np.where(right, samples["label"], np.where(samples["label"] == classes[0], classes[1], classes[0]))
    sure = pd.DataFrame(
        {f"{kind}_{n}": (told == name) * 0.8 + 0.1 for n, name in enumerate(classes) for kind in ("p", "raw")}
    )
    table = pd.DataFrame({"sample": samples["sample"], "label": samples["label"], "predicted": told})
    table = table.assign(repeat=0, fold=np.arange(len(samples)) % 4, probability=0.9, temperature=1.0, diverged=False)
    predictions = [table.join(sure).assign(method=method) for method in ("best", *others)]
    accuracy = [np.mean([right[samples["label"] == name].mean() for name in classes])] + [permuted_accuracy] * draws
    drawn = pd.DataFrame({"permutation": range(draws + 1), "balanced_accuracy": accuracy, "log_loss": 0.5})
    options = {"confidence": 0.95, "smallest_difference": 0.05, "label": "infection"}
    best = {"best": "average", "chosen": {}, "left_out_alone": False, "unlabelled": 0, "outside": 0}
    return report(pd.concat(predictions, ignore_index=True), drawn, best, samples, SETTINGS, options, warnings)[
        "summary"
    ]


def test_the_answer_is_short_and_plain(study):
    samples, _, _ = study(1.0)
    yes = made_up_report(samples, np.ones(24, dtype=bool))
    assert yes["answer"][0].startswith(
        "Yes, infection can be predicted from these samples better than by chance: 24 of"
    )
    assert yes["answer"][1].startswith("The pre-trained model neither helps nor harms here (balanced accuracy 1.00")
    assert len(yes["answer"]) == 2  # nothing is lacking
    no = made_up_report(samples, np.arange(24) % 3 > 0, permuted_accuracy=0.7)
    assert no["answer"][0].startswith("These samples do not show that infection can be predicted: 16 of 24")
    assert no["answer"][2].startswith("With 12 of control, 12 of treated, only a balanced accuracy above")
    few = pd.concat([samples[:3], samples[12:14]], ignore_index=True)
    tiny = made_up_report(few, np.ones(5, dtype=bool), draws=9)
    assert tiny["answer"][0].startswith("So few samples cannot show whether infection can be predicted, whatever")
    assert tiny["answer"][2].endswith("not even a perfect prediction could be shown to be better than chance.")
    assert tiny["smallest_detectable"] is None
    drawn = made_up_report(samples, np.ones(24, dtype=bool), draws=4)
    assert drawn["answer"][0].startswith("So few permutations cannot show")
    untested = made_up_report(samples, np.ones(24, dtype=bool), draws=0)
    assert "so that this is no test" in untested["answer"][0]
    for summary in (yes, no, tiny, drawn, untested):
        assert len(summary["answer"]) <= 3
        assert summary["verdict"][: len(summary["answer"])] == summary["answer"]
        assert not any(word in text for text in summary["answer"] for word in ("Holm", "own_study", "@", "average"))
        assert max(map(longest_sentence, summary["verdict"])) <= 40


def test_nothing_is_said_of_a_model_where_there_is_none(study):
    samples, _, _ = study(1.0)
    right = np.ones(24, dtype=bool)
    alone = made_up_report(samples, right, others=("logistic@top_genes", "linear_svm@all_genes", "average"))
    assert len(alone["answer"]) == 1
    assert not any("pre-trained" in text for text in alone["verdict"])
    beside = made_up_report(samples, right, others=("logistic@top_genes", "average", "ridge@genes"))
    assert beside["answer"][1].startswith("The pre-trained model neither helps nor harms here")


def test_a_batch_that_is_the_label_is_said_before_anything_else(study):
    samples, _, _ = study(1.0)
    right = np.ones(len(samples), dtype=bool)
    warning = "condition and lane are the same thing here: nothing can be told apart."
    plain, warned = made_up_report(samples, right), made_up_report(samples, right, warnings=[warning])
    assert warned["verdict"] == [warning, *plain["verdict"]]
    assert warned["warnings"] == [warning]


def test_where_a_fold_lacks_a_class_the_interval_is_around_the_whole_repeat(recwarn):
    """Oracle: balanced accuracy by hand, of eight samples of which one fold holds one class alone."""
    table = pd.DataFrame({"fold": [0, 0, 0, 0, 1, 1, 1, 1], "label": list("aaaaabbb"), "predicted": list("aabbabbb")})
    table = table.assign(method="mine", repeat=0, probability=0.9, temperature=1.0, diverged=False)
    other = table.assign(method="other", predicted=table["label"])
    sure = {
        f"{kind}_{n}": (table["predicted"] == name) * 0.8 + 0.1 for n, name in enumerate("ab") for kind in ("p", "raw")
    }
    both = pd.concat([table.assign(**sure), other.assign(**sure)], ignore_index=True)
    row = scores(both, ["a", "b"], 2, 0.95).set_index("method").loc["mine"]
    assert row["balanced_accuracy"] == pytest.approx((3 / 5 + 3 / 3) / 2)
    half = 12.7062 * np.std([0.5, 1.0], ddof=1) * np.sqrt(1 / 2 + 1)  # t of one degree of freedom
    assert (row["low"], row["high"]) == (0.0, 1.0)
    difference = contrasts(both, "mine", 2, 0.95, 0.05).iloc[0]
    assert difference["difference"] == pytest.approx(0.8 - 1.0)
    assert difference["high"] == pytest.approx(-0.2 + half, rel=1e-4)
    assert not [warning for warning in recwarn if "Mean of empty slice" in str(warning.message)]


def test_samples_of_one_group_count_once(study):
    """Oracle: where the samples of each animal agree, the interval is that of one sample of each."""
    samples, _, _ = study(1.0)
    four = samples.assign(group=[f"m{number // 4}" for number in range(24)])  # six animals
    found = made_up_report(four, np.arange(24) >= 8)
    low, high = share_interval(4, 6, 0.95)
    assert f"16 of 24 samples right (95% interval by their 6 groups {low:.0%} to {high:.0%};" in " ".join(
        found["verdict"]
    )
    assert found["smallest_detectable"] is None  # six animals can be laid out in ten ways
    alone = made_up_report(samples, np.arange(24) >= 8)
    low, high = share_interval(16, 24, 0.95)
    assert f"right (95% interval {low:.0%} to {high:.0%};" in " ".join(alone["verdict"])
    assert alone["smallest_detectable"] == smallest_detectable_accuracy([12, 12], 0.95)


def test_a_temperature_undoes_logits_that_are_too_sure_by_a_factor():
    generator = np.random.default_rng(1)
    logits = generator.normal(0, 1.5, (20000, 3))
    true = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    classes = (true.cumsum(axis=1) < generator.uniform(size=(20000, 1))).sum(axis=1)
    sure = calibrated(true, 1 / 3)
    temperature = fit_temperature(sure, classes)
    assert temperature == pytest.approx(3, rel=0.05)
    np.testing.assert_allclose(calibrated(sure, temperature), true, atol=0.02)
    right = sure.argmax(axis=1) == classes
    assert calibration_error(sure.max(axis=1), right) > 0.1
    assert calibration_error(calibrated(sure, temperature).max(axis=1), right) < 0.02


def test_a_few_right_predictions_do_not_make_certainty():
    told = np.tile([0.8, 0.2], (6, 1))
    temperature = fit_temperature(told, np.zeros(6, int))
    assert 0.3 < temperature < 1
    assert calibrated(told, temperature)[0, 0] < 0.995


def test_labels_of_held_out_samples_change_no_prediction(study, predictors):
    """Neither tuning nor temperature sees them: with the same folds, other labels there leave probabilities alone."""
    samples, corpus, splits = study(1.0)
    samples.loc[samples.index % 3 == 0, "held_out"] = True
    made = predictors(corpus, splits)
    told = cross_validate(samples, corpus, made, SETTINGS, 0, 1)
    swapped = {"control": "treated", "treated": "control"}
    other = samples.assign(label=samples["label"].where(~samples["held_out"], samples["label"].map(swapped)))
    again = cross_validate(other, corpus, made, SETTINGS, 0, 1)
    assert (told["label"] != again["label"]).all()
    columns = ["p_0", "p_1", "raw_0", "temperature", "candidate"]
    by = ["method", "sample"]
    left, right = (table.sort_values(by)[columns].to_numpy() for table in (told, again))
    np.testing.assert_array_equal(left, right)
    assert (told["temperature"] != 1).all()


def test_planted_genes_are_found(study, predictors):
    samples, corpus, splits = study(3.0)
    made = predictors(corpus, splits)
    runs = [cross_validate(samples, corpus, made, SETTINGS, repeat, 1) for repeat in range(2)]
    predictions = pd.concat(runs, ignore_index=True)
    reached = scores(predictions, ["control", "treated"], 4, 0.95).set_index("method")["balanced_accuracy"]
    assert reached["guided@per_tensor"] > 0.8

    first = predictions.query("method == 'guided@per_tensor'").drop_duplicates(["repeat", "fold"])
    predict, _ = made["guided@per_tensor"]
    options = {"path_points": 64, "shuffles": 24}
    attribution, importance, checked = explain(samples, corpus, predict, first, SETTINGS, options, 1)
    genes = pd.DataFrame({"gene_id": range(40), "gene_name": range(40), "row": "there"})
    expression = corpus.rows(samples["sample"].tolist())
    differs = [stats.ttest_ind(*(expression[samples["label"] == name] for name in ("control", "treated"))).pvalue]
    differential = pd.DataFrame({"gene_name": range(40), "p_value": differs[0]}).sort_values("p_value")
    differential["rank"] = range(1, 41)
    reference = np.r_[np.zeros(1), np.full(39, 5.0)], np.ones(40)
    measures = attribution, importance
    table, summary = gene_table(measures, genes, expression, samples["label"], reference, differential, 5)
    assert set(table["gene_id"][:3]) == set(PLANTED)
    assert set(table.nlargest(3, "permutation_importance")["gene_id"]) == set(PLANTED)
    assert (table["highest_in"][:3] == "treated").all()
    assert set(table["differential_rank"][:3]) == {1, 2, 3}
    assert summary["shared"] >= 3
    assert summary["rank_correlation"] > 0.3
    assert checked["completeness_error"] < 0.05
    assert summary["silent_share"] == 1 / 40
    assert summary["silent"] == int((table["gene_id"][:5] == 0).any())


def test_a_gene_that_the_reference_hardly_varies_in_does_not_lead_the_list():
    """Closed form: of a linear network, the attribution of z-scores whose small deviations are raised to the median."""
    classifier = linear_classifier(9, 2)
    generator = np.random.default_rng(4)
    scale = np.array([0.1, 0.1, 0.8, 0.9, 1.0, 1.1, 1.2, 1.5, 2.0])  # the median is 1
    logs = generator.normal(5, 1, (6, 9))

    def attributed(deviations):
        values = torch.from_numpy((logs - 5) / deviations)
        classes = torch.tensor([0, 0, 0, 1, 1, 1])
        return integrated_gradients(classifier, values, classes, values.mean(dim=0), 4).numpy()

    narrow, floored = attributed(scale), attributed(np.maximum(scale, 1.0))
    np.testing.assert_allclose(narrow * floored_shares(scale), floored, atol=1e-12)
    genes = pd.DataFrame({"gene_id": range(9), "gene_name": range(9), "row": "there"})
    differential = pd.DataFrame({"gene_name": [8, 2], "rank": [1, 2], "p_value": [0.1, 0.2]})
    labels = pd.Series(["a"] * 3 + ["b"] * 3)
    table, _ = gene_table((narrow, narrow), genes, logs, labels, (np.full(9, 5.0), scale), differential, 3)
    assert table["gene_id"].tolist() == np.argsort(-floored.mean(axis=0), kind="stable").tolist()
    assert table["gene_id"].tolist() != np.argsort(-narrow.mean(axis=0), kind="stable").tolist()


def test_agreement_with_the_counts_is_over_the_genes_that_both_lists_have():
    """Oracle: sets and scipy's Spearman by hand."""
    generator = np.random.default_rng(5)
    table = pd.DataFrame({"rank": range(1, 61), "differential_rank": generator.permutation(60) + 1.0})
    table.loc[::3, "differential_rank"] = np.nan
    both = table.dropna()
    first, other = (set(both.sort_values(column).index[:10]) for column in ("rank", "differential_rank"))
    found = agreement(table, 10)
    assert found["shared"] == len(first & other)
    assert (found["compared"], found["compared_first"]) == (40, 10)
    assert found["expected_by_chance"] == 10 * 10 / 40
    expected = stats.spearmanr(both["rank"], both["differential_rank"])[0]
    assert found["rank_correlation"] == pytest.approx(expected)
    none = agreement(table[table["differential_rank"].isna()], 10)
    assert (none["compared"], none["shared"], none["rank_correlation"]) == (0, 0, None)


def test_a_method_that_needs_all_reference_samples_is_refused():
    with pytest.raises(InputError, match="ewc looks at all samples"):
        check_method("ewc", compose("ewc"))
    check_method("knn@pca", compose("knn@pca"))


def linear_classifier(genes, classes):
    torch.manual_seed(1)
    return Classifier(torch.nn.Linear(genes, 5), torch.nn.Linear(5, classes)).double()


def test_of_a_linear_network_both_measures_are_weight_times_difference():
    """Closed form: with all samples as others, exchanging has the mean effect of going to their mean."""
    classifier = linear_classifier(12, 3)
    values = torch.randn(9, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    weight = (classifier.head.weight @ classifier.encoder.weight).detach()
    weight = weight - weight.mean(dim=0)
    expected = weight[1] * (values[0] - values.mean(dim=0))
    label = torch.tensor([1])
    found = integrated_gradients(classifier, values[:1], label, values.mean(dim=0), 4)[0]
    np.testing.assert_allclose(found, expected, atol=1e-12)
    losses = exchange_losses(classifier, values[0], 1, values).mean(dim=0)
    np.testing.assert_allclose(losses, expected, atol=1e-12)


@pytest.mark.parametrize("architecture", ["mlp", "transformer"])
def test_exchanging_a_gene_equals_running_the_whole_network(architecture):
    settings = {"hidden_widths": [16], "width": 8, "decoder_widths": [], "depth": 1, "heads": 2, "token_width": 8}
    settings |= {"expression_bins": 6, "attention": "flash"}
    torch.manual_seed(4)
    build = registry.load("pretrain.architectures", architecture).build
    network = build(torch.zeros(20), torch.ones(20), settings).double().eval()
    classifier = make_classifier(network, 2, 3).eval()
    values = torch.randn(4, 20, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    found = exchange_losses(classifier, values[0], 1, values[1:])
    label = torch.tensor([1])
    for row, gene in [(0, 0), (1, 7), (2, 19)]:
        changed = values[0].clone()
        changed[gene] = values[row + 1, gene]
        with torch.no_grad():
            whole = margin(classifier(values[:1]), label) - margin(classifier(changed[None]), label)
        assert found[row, gene] == pytest.approx(float(whole), abs=1e-10)


def test_attributions_add_up_to_the_margin(study, predictors):
    samples, corpus, splits = study(1.0)
    predict, _ = predictors(corpus, splits)["guided@per_tensor"]
    _, outer, _ = next(fold_episodes(samples, 4, 2, 0, 1))
    episode = Episodes(outer, corpus)[0]
    classifier = predict.fitted(episode, Candidate(0.01, 15))
    with torch.no_grad():
        told = classifier(torch.from_numpy(episode.query)).double().softmax(dim=1).numpy()
    np.testing.assert_allclose(told, predict([episode], [Candidate(0.01, 15)])[0][0], atol=1e-5)
    assert isinstance(episode, Episode)
    start = episode.support.mean(axis=0)
    generator = np.random.default_rng(derive(1, "x"))
    _, _, rough = explain_fold(classifier, episode, episode.support, start, 4, 2, generator)
    _, _, fine = explain_fold(classifier, episode, episode.support, start, 400, 2, generator)
    assert fine < 0.01
    assert fine < rough

"""Planted faults are named, and what nobody planted is not. Oracles: the planting, numpy, sklearn, declared sexes."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scarceseq.own_study.columns import column_notes, compare_columns, told_by_others
from scarceseq.own_study.quality import check_samples, outliers, principal_components
from sklearn.metrics import accuracy_score
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.tree import DecisionTreeClassifier

REAL = Path(__file__).parents[4] / "shared" / "data" / "bulk" / "mouse" / "GSE96870_cerebellum_influenza"
CEREBELLUM = ["Cbln1", "Cbln3", "Pcp2", "Gabra6", "Fat2", "Zic1", "Slc1a6", "Grm4"]


@pytest.fixture
def study():
    """Counts of 3,000 genes in 12 mice: six of each sex, cases and controls, with 8 silent cerebellum markers."""
    generator = np.random.default_rng(5)
    names = ["Xist", "Ddx3y", "Kdm5d", *CEREBELLUM, "mt-Nd1", "mt-Co1", *(f"G{place:04d}" for place in range(2987))]
    level = np.exp(generator.normal(4, 1.5, len(names)))
    level[3:11] = 0.2
    counts = generator.negative_binomial(20, 20 / (20 + level[:, None] * generator.uniform(0.7, 1.4, 12)))
    female = np.arange(12) % 2 == 0
    counts[0] = np.where(female, 4000, 0)
    counts[1:3] = np.where(female, 0, 700)
    samples = pd.DataFrame({"sample": [f"s{place:02d}" for place in range(12)], "label": ["case", "control"] * 6})
    samples["label"] = np.repeat(["case", "control"], 6)
    labels = pd.DataFrame({"condition": samples["label"], "Sex": np.where(female, "F", "male")})
    return counts.astype(float), pd.DataFrame({"gene_id": names, "gene_name": names}), samples, labels


def check(study, counts=None, labels=None):
    plain, genes, samples, first = study
    table, notes = check_samples(
        plain if counts is None else counts, genes, "mouse", samples, first if labels is None else labels
    )
    return table.set_index("sample")["flags"], {note["kind"] for note in notes}, table


def test_a_study_without_faults_is_not_flagged(study):
    flags, kinds, table = check(study)
    assert (flags == "").all()
    assert not kinds
    assert table["sex_by_genes"].tolist() == ["female", "male"] * 6
    np.testing.assert_allclose(table["mitochondrial_share"], study[0][11:13].sum(axis=0) / study[0].sum(axis=0))


def test_exchanged_sexes_are_named_and_may_be_a_swap(study):
    labels = study[3].assign(Sex=lambda table: table["Sex"].iloc[[1, 0, *range(2, 12)]].to_numpy())
    flags, kinds, _ = check(study, labels=labels)
    assert flags[flags != ""].to_dict() == {
        "s00": "declared male, female by its genes",
        "s01": "declared female, male by its genes",
    }
    assert kinds == {"sex"}


def test_a_shallow_library_is_flagged(study):
    counts = study[0].copy()
    counts[:, 4] = np.random.default_rng(1).binomial(counts[:, 4].astype(int), 0.1)
    flags, _, _ = check(study, counts)
    assert "unusual number of reads" in flags["s04"]
    assert (flags.drop("s04") == "").all()


def test_markers_of_a_tissue_in_one_sample_and_in_one_class(study):
    counts = study[0].copy()
    counts[3:11, 7] = 300
    flags, kinds, _ = check(study, counts)
    assert "cerebellum markers" in flags["s07"]
    assert "above its class" in flags["s07"]
    counts[3:11, 6:] = 300
    flags, kinds, _ = check(study, counts)
    assert kinds == {"tissue"}


def test_one_library_twice_is_named_even_at_another_depth(study):
    counts = study[0].copy()
    counts[:, 9] = np.random.default_rng(2).binomial(counts[:, 8].astype(int), 0.7)
    flags, kinds, _ = check(study, counts)
    assert "of s08" in flags["s09"]
    assert "of s09" in flags["s08"]
    assert "copies" in kinds


def test_outliers_need_both_distances():
    values = np.array([0, 0.1, -0.1, 0.05, 5.0, np.nan])
    assert outliers(values, 0, 1.0).tolist() == [4]
    assert outliers(values, -1, 1.0).tolist() == []
    assert outliers(values, 1, 10.0).tolist() == []
    assert outliers(np.full(3, np.nan), 0, 1.0).tolist() == []


def test_components_are_those_of_a_singular_value_decomposition(study):
    counts, _, samples, _ = study
    table, explained = principal_components(counts, samples["sample"])
    values = np.log2((counts + 0.5) / (counts.sum(axis=0) + 1) * 1e6)[(counts > 0).mean(axis=1) >= 0.5]
    values = values[np.argsort(-values.var(axis=1), kind="stable")[:1000]].T
    left, size, _ = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(explained, (size**2 / (size**2).sum())[:5], rtol=1e-6)
    np.testing.assert_allclose(np.abs(table.iloc[:, 1:]), np.abs(left * size)[:, :5], atol=1e-3)


def test_a_batch_that_is_the_label_is_said_and_one_that_tells_part_of_it():
    labels = pd.DataFrame(
        {"group": list("aaaabbbb"), "batch": list("11112222"), "lane": list("11121222"), "mouse": list("12341234")}
    )
    table = compare_columns(labels).set_index(["column", "other"])
    assert table.loc[("group", "batch"), "relation"] == "same"
    assert table.loc[("group", "lane"), "relation"] == "partly"
    assert table.loc[("group", "mouse"), "strength"] == 0
    notes = {note["kind"]: note["text"] for note in column_notes(table.reset_index(), labels, "group", "")}
    assert set(notes) == {"confounded", "partly_confounded", "group"}
    assert "group and batch are the same thing here" in notes["confounded"]
    assert "75%" in notes["partly_confounded"]


def test_what_a_batch_tells_is_the_accuracy_of_a_tree_that_leaves_one_out():
    generator = np.random.default_rng(3)
    batch = generator.integers(3, size=60)
    label = np.where(generator.random(60) < 0.8, batch % 2, 1 - batch % 2)
    tree = cross_val_predict(DecisionTreeClassifier(), np.eye(3)[batch], label, cv=LeaveOneOut())
    table = pd.crosstab(pd.Series(label), pd.Series(batch)).to_numpy(float)
    assert told_by_others(table) == pytest.approx(accuracy_score(label, tree))


@pytest.mark.skipif(not REAL.exists(), reason="the real studies in ../shared/data are not here")
def test_sexes_of_real_mice_are_those_that_were_declared():
    with gzip.open(REAL / "counts.tsv.gz", "rt") as handle:
        counts = pd.read_csv(handle, sep="\t", index_col=0)
    labels = pd.read_csv(REAL / "samples.tsv", sep="\t", dtype=str)
    samples = labels[["sample"]].assign(label=labels["infection"])
    genes = pd.DataFrame({"gene_id": counts.index, "gene_name": counts.index})
    table, notes = check_samples(counts[samples["sample"]].to_numpy(float), genes, "mouse", samples, labels)
    assert (table["sex_by_genes"] == labels["sex"].str.lower()).all()
    assert not [note for note in notes if note["kind"] in ("sex", "copies")]

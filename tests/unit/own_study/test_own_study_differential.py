"""Moderated tests of genes between classes. Oracles: limma (limma.R), DESeq2 (deseq2.R), brute force, closed forms."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scarceseq.errors import InputError
from scarceseq.own_study.differential import differential_genes, inverse_trigamma, moderated, sum_of_groups
from scipy import special, stats

LIMMA = pd.read_csv(Path(__file__).with_name("limma_expected.tsv"), sep="\t", dtype={"gene": str})
DESEQ2 = pd.read_csv(Path(__file__).with_name("deseq2_expected.tsv"), sep="\t", dtype={"gene": str})


def airway(folder, block):
    counts = pd.read_csv(folder / "bulk/human/airway_8/counts.tsv.gz", sep="\t", index_col=0)
    about = pd.read_csv(folder / "bulk/human/airway_8/samples.tsv", sep="\t").set_index("id").loc[counts.columns]
    group = about["celltype"] if block else about.index
    return counts, pd.DataFrame({"label": about["dex"].to_numpy(), "group": np.asarray(group)})


def mammary(folder, column):
    path = folder / "bulk/mouse/GSE60450_mammary"
    counts = pd.read_csv(path / "counts.tsv.gz", sep="\t", index_col=0)
    about = pd.read_csv(path / "samples.tsv", sep="\t").set_index("sample").loc[counts.columns]
    return counts, pd.DataFrame({"label": about[column].to_numpy(), "group": about.index})


COMPARISONS = {
    "airway, cell lines as blocks": lambda folder: airway(folder, True),
    "airway": lambda folder: airway(folder, False),
    "mammary, cell type": lambda folder: mammary(folder, "cell_type"),
    "mammary, status": lambda folder: mammary(folder, "status"),
}


@pytest.mark.parametrize("name", COMPARISONS)
def test_numbers_are_those_of_limma(shared_data, name):
    counts, samples = COMPARISONS[name](shared_data)
    genes = counts.index.astype(str)
    table, summary = differential_genes(counts.to_numpy(float), genes, genes, samples)
    expected = LIMMA[LIMMA["comparison"] == name].set_index("gene")
    found = table.set_index("gene_id").loc[expected.index]
    assert summary["tested"] == expected["tested"].iloc[0]
    assert summary["prior_freedom"] == pytest.approx(expected["prior_freedom"].iloc[0], rel=1e-6)
    np.testing.assert_allclose(found["statistic"], expected["statistic"], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found["p_value"], expected["p_value"], rtol=1e-5)
    np.testing.assert_allclose(found["adjusted_p_value"], expected["adjusted_p_value"], rtol=1e-5)
    if expected["log2_fold_change"].notna().all():
        np.testing.assert_allclose(found["log2_fold_change"], expected["log2_fold_change"], atol=1e-8)
    assert summary["blocked"] == ("blocks" in name)


@pytest.mark.parametrize("name", sorted(set(DESEQ2["comparison"])))
def test_genes_are_in_the_order_of_deseq2(shared_data, name):
    """Another model of the counts: the same genes lead, in the same direction, by the same amount."""
    counts, samples = COMPARISONS[name](shared_data)
    genes = counts.index.astype(str)
    table, _ = differential_genes(counts.to_numpy(float), genes, genes, samples)
    both = DESEQ2[DESEQ2["comparison"] == name].merge(table, left_on="gene", right_on="gene_id", suffixes=("_r", ""))
    assert len(both) > 600
    assert both["statistic"].corr(both["statistic_r"], method="spearman") > 0.97
    assert both["log2_fold_change"].corr(both["log2_fold_change_r"]) > 0.98
    theirs, ours = both["adjusted_p_value_r"] < 0.05, both["adjusted_p_value"] < 0.05
    assert theirs[ours].mean() > 0.85
    assert (np.sign(both["statistic"]) == np.sign(both["statistic_r"]))[theirs].mean() > 0.99
    leading = both["p_value"].rank() <= 100, both["statistic_r"].abs().rank(ascending=False) <= 100
    assert (leading[0] & leading[1]).sum() >= 70


def made_up(generator, genes=400, samples=12):
    """Counts of two classes; gene 7 of the second is a fifth of the first's."""
    expected = generator.lognormal(5, 1, genes)[:, None] * np.ones(samples)
    labels = np.array(["control", "mutant"] * (samples // 2))
    expected[7, labels == "mutant"] /= 5
    counts = generator.poisson(expected * generator.gamma(20, 1 / 20, (genes, samples)))
    return counts.astype(float), labels


def test_a_knocked_out_gene_leads_and_null_genes_are_uniform():
    counts, labels = made_up(np.random.default_rng(1))
    names = [f"G{gene}" for gene in range(400)]
    samples = pd.DataFrame({"label": labels, "group": range(12)})
    table, summary = differential_genes(counts, names, names, samples)
    first = table.iloc[0]
    assert (first["gene_id"], first["rank"], first["highest_in"]) == ("G7", 1, "control")
    assert first["log2_fold_change"] == pytest.approx(-np.log2(5), abs=0.4)
    assert first["log2_fold_change"] == pytest.approx(first["mean_mutant"] - first["mean_control"])
    rest = table[table["gene_id"] != "G7"]["p_value"]
    assert stats.kstest(rest, "uniform").pvalue > 0.01
    assert summary["differential"] >= 1


def test_without_moderation_the_statistic_is_the_plain_t_test():
    """As the prior's weight goes to nothing; oracle: scipy, with variances that differ widely between genes."""
    generator = np.random.default_rng(2)
    values = generator.normal(size=(3000, 10)) * np.exp(generator.normal(0, 6, 3000))[:, None]
    classes = np.repeat([0.0, 1.0], 5)
    found = moderated(values, np.column_stack([np.ones(10), classes]), [1])
    plain = stats.ttest_ind(values[:, 5:], values[:, :5], axis=1).statistic
    assert found["prior_freedom"] < 0.5
    middle = np.abs(np.log(found["variance"])) < 5
    np.testing.assert_allclose(found["statistic"][middle], plain[middle], rtol=0.1)


def test_samples_of_one_animal_are_added_up_and_count_once():
    counts = np.arange(12, dtype=float).reshape(2, 6)
    samples = pd.DataFrame({"group": list("aabbcc"), "label": list("xxyyyy")})
    summed, table, groups = sum_of_groups(counts, samples)
    assert groups == 3
    assert table.to_numpy().tolist() == [["a", "x"], ["b", "y"], ["c", "y"]]
    np.testing.assert_array_equal(summed, [[1, 5, 9], [13, 17, 21]])


def test_classes_of_one_sample_each_are_refused():
    samples = pd.DataFrame({"label": ["a", "b"], "group": ["1", "2"]})
    with pytest.raises(InputError, match="no class has a second sample"):
        differential_genes(np.full((50, 2), 100.0), list(range(50)), list(range(50)), samples)


@pytest.mark.parametrize("value", [1e-3, 0.1, 1.0, 30.0])
def test_the_inverse_of_the_trigamma_function_is_one(value):
    assert special.polygamma(1, inverse_trigamma(value)) == pytest.approx(value, rel=1e-8)

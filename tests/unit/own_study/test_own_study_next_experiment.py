"""The next experiment. Oracles: simulated counts through the very test, Hart's closed form, counting."""

import numpy as np
import pandas as pd
import pytest
from scarceseq.own_study.differential import differential_genes
from scarceseq.own_study.next_experiment import differential_power, layout, power_of_each
from scarceseq.report.next_experiment import power_sentence
from scarceseq.statistics.power import level_of_p
from scipy import stats

GENES = 2000


def counts_of(generator, mean, dispersion, size, changed=(), fold=1.0):
    """Negative binomial counts of two classes; in the second, `changed` genes are `fold` times as high or as low."""
    expected = np.repeat(mean[:, None], 2 * size, axis=1)
    up = np.arange(len(changed)) % 2 == 0
    expected[np.ix_(changed[up], range(size, 2 * size))] *= fold
    expected[np.ix_(changed[~up], range(size, 2 * size))] /= fold
    shape = 1 / dispersion[:, None]
    return generator.negative_binomial(shape, shape / (shape + expected)).astype(float)


def samples_of(size):
    return pd.DataFrame({"label": ["a"] * size + ["b"] * size, "group": range(2 * size)})


@pytest.mark.parametrize("size", [4, 8])
def test_power_is_what_simulated_studies_of_that_size_find(size):
    """A pilot's noise foretells the share of changed genes that the test, at the false discovery rate, calls."""
    generator = np.random.default_rng(size)
    mean, dispersion = generator.lognormal(6, 0.8, GENES), generator.gamma(4, 0.02, GENES)
    names = [f"G{gene}" for gene in range(GENES)]
    pilot, summary = differential_genes(
        counts_of(generator, mean, dispersion, 6, np.array([], int)), names, names, samples_of(6)
    )
    said = differential_power(pilot, summary, samples_of(6)).set_index(["groups_per_class", "fold_change"])
    shares, false = [], []
    for _ in range(20):
        changed = generator.choice(GENES, GENES // 20, replace=False)
        counts = counts_of(generator, mean, dispersion, size, changed, 2.0)
        table, _ = differential_genes(counts, names, names, samples_of(size))
        called = set(table.loc[table["adjusted_p_value"] < 0.05, "gene_id"])
        true = {names[gene] for gene in changed}
        shares.append(len(called & true) / len(true))
        false.append(len(called - true) / max(len(called), 1))
    assert 0.2 < np.mean(shares) < 0.99
    assert said.loc[(size, 2.0), "found_share"] == pytest.approx(np.mean(shares), abs=0.05)
    assert np.mean(false) < 0.08  # the rate is kept, so that power is of the test that is asked for
    assert said.loc[(6, 2.0), "as_now"]
    assert not said.loc[(size, 2.0), "as_now"]


def test_without_uncertain_variances_the_power_is_that_of_hart():
    """Closed form: n = 2 (z_a/2 + z_b)^2 (1 / mean + dispersion) / (ln fold)^2 (Hart et al. 2013)."""
    mean, dispersion, fold = 50.0, 0.1, 2.0
    deviation = np.full(300, np.sqrt(1 / mean + dispersion) / np.log(2))
    for size in (5, 9, 14):
        power, level = power_of_each(deviation, np.inf, 2, size, np.log2(fold), False)
        za, zb = stats.norm.isf(level / 2), stats.norm.ppf(power[0])
        needed = 2 * (za + zb) ** 2 * (1 / mean + dispersion) / np.log(fold) ** 2
        assert needed == pytest.approx(size, rel=2e-3)
        assert level == pytest.approx(level_of_p(power, 0.05, 0.05), rel=1e-5)
    paired, _ = power_of_each(deviation, 4.0, 2, 5, 1.0, True)
    apart, _ = power_of_each(deviation, 4.0, 2, 5, 1.0, False)
    assert paired[0] < apart[0]  # as many samples, fewer degrees of freedom


def test_the_sentence_names_the_first_size_that_does():
    table = pd.DataFrame(
        {"groups_per_class": [4, 6, 8], "found_share": [0.3, 0.7, 0.85], "as_now": [True, False, False]}
    )
    table["fold_change"] = 2.0
    assert power_sentence(table).endswith("(false discovery rate 5%); 8 of each class would find 80% of them.")
    assert "not even 6 of each class" in power_sentence(table[:2])
    assert power_sentence(table.assign(found_share=0.9)).endswith("(false discovery rate 5%).")


@pytest.mark.parametrize(("per_class", "batches"), [(6, 2), (7, 3), (5, 4), (2, 3), (9, 1)])
def test_each_batch_has_as_many_of_every_class(per_class, batches):
    classes = ["a", "b", "c"]
    table = layout(classes, per_class, batches, 1)
    crossed = pd.crosstab(table["class"], table["batch"])
    assert (crossed.sum(axis=1) == per_class).all()
    assert crossed.to_numpy().max() - crossed.to_numpy().min() <= 1
    assert crossed.sum().max() - crossed.sum().min() <= 1
    assert table["sample"].is_unique
    assert (table.groupby("batch")["place"].agg(["min", "max"]) == np.c_[np.ones(crossed.shape[1]), crossed.sum()]).all(
        axis=None
    )
    pd.testing.assert_frame_equal(table, layout(classes, per_class, batches, 1))


def test_the_order_within_a_batch_is_drawn_and_tells_no_class():
    """Over many seeds each class is as often first."""
    first = [layout(["a", "b"], 4, 2, seed).query("place == 1")["class"].tolist() for seed in range(300)]
    share = np.mean([name == "a" for names in first for name in names])
    assert abs(share - 0.5) < 4 * np.sqrt(0.25 / 600)

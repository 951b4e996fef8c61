"""Power, reliability and the plan of genes by cells. Oracles: simulated counts, statsmodels, matrices written out."""

import numpy as np
import pandas as pd
import pytest
from scarceseq.design.cell_plan import within_variance
from scarceseq.design.cells import (
    Numbers,
    cells_table,
    fold_change_in_logs,
    numbers_of_pilot,
    numbers_of_screen,
    power_of_genes,
    power_of_perturbation,
    readout_genes,
    reliability,
    standard_errors,
)
from scarceseq.design.genes_by_cells import affordable, expected_error, plan
from scarceseq.errors import InputError
from scarceseq.perturbation.process import NOISE
from scarceseq.statistics.power import level_of_p
from scipy import sparse, stats
from statsmodels.stats.multitest import multipletests

MONEY = {"cost_per_cell": 0.1, "reads_per_cell": 20_000, "cost_per_million_reads": 5, "guides": 2, "cost_per_guide": 3}
MONEY |= {"control_cells": 200, "least_cells": 5}


def test_power_of_a_gene_is_that_of_simulated_counts():
    generator, cells, controls, mean, dispersion, change = np.random.default_rng(1), 60, 400, 2.0, 0.4, 0.5
    numbers = numbers_of_pilot(np.array([mean]), np.array([dispersion]), change)
    errors = standard_errors(numbers, cells, controls, 1, 0)

    def log_means(mean, count):
        size = 1 / dispersion
        return np.log(generator.negative_binomial(size, size / (size + mean), (4000, count)).mean(axis=1))

    difference = log_means(mean * 2**change, cells) - log_means(mean, controls)
    assert difference.std() == pytest.approx(errors[0], rel=0.05)
    called = np.abs(difference / errors[0]) > stats.norm.isf(0.005)
    expected = stats.norm.sf(stats.norm.isf(0.005) - numbers.effect[0] / errors[0])
    assert called.mean() == pytest.approx(expected, abs=4 * np.sqrt(0.25 / 4000))


def test_more_reads_help_as_a_larger_mean_does():
    once, deep = (numbers_of_pilot(np.array([0.5]), np.array([0.2]), 1.0, depth) for depth in (1, 4))
    np.testing.assert_allclose(deep.variance, numbers_of_pilot(np.array([2.0]), np.array([0.2]), 1.0).variance)
    assert deep.variance[0] < once.variance[0]


def test_the_threshold_keeps_the_false_discovery_rate_and_the_power_is_that_of_benjamini_and_hochberg():
    generator, genes, changed = np.random.default_rng(2), 2000, 100
    numbers = Numbers(np.full(genes, 1.0), np.full(genes, 9.0), np.full(genes, 9.0), genes, 1.0, 9.0)
    errors = standard_errors(numbers, 100, 10_000, 1, 0)
    power, level = power_of_genes(numbers, errors, changed / genes, 0.05)
    assert level == pytest.approx(level_of_p(power, changed / genes, 0.05), rel=1e-6)
    shifts = np.r_[np.full(changed, 1.0), np.zeros(genes - changed)] / errors
    found, false = [], []
    for _ in range(60):
        called = multipletests(2 * stats.norm.sf(np.abs(generator.normal(shifts))), 0.05, "fdr_bh")[0]
        found.append(called[:changed].mean())
        false.append(called[changed:].sum() / max(called.sum(), 1))
    assert np.mean(found) == pytest.approx(power[0], abs=0.03)
    assert np.mean(false) == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize("correlation", [0.0, 0.1])
def test_power_of_a_perturbation_is_that_of_simulated_correlated_genes(correlation):
    generator, genes, changed, repeats = np.random.default_rng(3), 100, 10, 4000
    covariance = np.full((genes, genes), correlation) + (1 - correlation) * np.eye(genes)
    independent = genes**2 / (covariance**2).sum()
    numbers = Numbers(np.full(genes, 0.5), np.ones(genes), np.ones(genes), independent, 1.0, 1.0)
    errors = standard_errors(numbers, 40, 400, 1, 0)
    noise = generator.multivariate_normal(np.zeros(genes), covariance, (2, repeats))
    critical = np.quantile((noise[0] ** 2).sum(axis=1), 0.95)
    shift = np.r_[np.full(changed, 0.5), np.zeros(genes - changed)] / errors
    simulated = (((noise[1] + shift) ** 2).sum(axis=1) > critical).mean()
    assert power_of_perturbation(numbers, errors, changed, 0.05) == pytest.approx(simulated, abs=0.06)


def test_guides_that_differ_limit_what_cells_can_buy():
    numbers = numbers_of_pilot(np.array([5.0]), np.array([0.1]), 1.0)
    few, many = (standard_errors(numbers, 10**6, 10**6, guides, 0.09)[0] for guides in (1, 9))
    assert few == pytest.approx(0.3, rel=1e-3)
    assert many == pytest.approx(0.1, rel=1e-3)


def test_reliability_from_a_screen_is_the_agreement_of_fresh_cells():
    generator, genes, perturbations, cells = np.random.default_rng(4), 300, 200, 40
    control = generator.gamma(2.0, 1.0, (2000, genes))
    truth = generator.normal(0, 0.3, (perturbations, genes))
    condition = np.repeat(np.arange(1, perturbations + 1), cells)
    values = truth[condition - 1] + generator.gamma(2.0, 1.0, (len(condition), genes))
    delta = np.stack([values[condition == place].mean(axis=0) for place in range(1, perturbations + 1)]) - 2.0
    noise = within_variance(sparse.csr_array(values), condition)
    numbers = numbers_of_screen(control, delta, np.full(perturbations, cells), noise, 1.0)
    assert numbers.noise == pytest.approx(2.0, rel=0.02)
    assert numbers.signal == pytest.approx(0.09, rel=0.1)
    assert numbers.independent == pytest.approx(genes / (1 + genes / 2000), rel=0.05)
    again = truth + generator.normal(0, np.sqrt(2.0 / 100), truth.shape)
    other = truth + generator.normal(0, np.sqrt(2.0 / 100), truth.shape)
    assert np.corrcoef(again.ravel(), other.ravel())[0, 1] == pytest.approx(reliability(numbers, 100), abs=0.02)


def test_expected_error_is_the_posterior_written_out():
    generator = np.random.default_rng(5)
    features = generator.normal(size=(12, 30)) / np.sqrt(30)
    chosen, worth, noise = np.array([3, 0, 7]), np.r_[np.ones(9), np.zeros(3)], 0.4
    kernel = features @ features.T + NOISE * np.eye(12)
    inside = kernel[np.ix_(chosen, chosen)] + noise * np.eye(3)
    posterior = kernel - kernel[:, chosen] @ np.linalg.inv(inside) @ kernel[chosen]
    expected = np.diag(posterior)[:9].sum() / np.diag(kernel)[:9].sum()
    assert expected_error(sparse.csr_array(features), chosen, worth, noise) == pytest.approx(expected)
    assert expected_error(sparse.csr_array(features), chosen[:0], worth, noise) == pytest.approx(1.0)


def test_the_budget_is_spent_and_the_best_is_the_least_error():
    features = sparse.csr_array(np.random.default_rng(6).normal(size=(60, 20)) / np.sqrt(20))
    settings = MONEY | {"budget": 2000.0}
    table = plan(features, np.arange(60), np.ones(60), 20.0, settings, [5, 10, 20, 40, 60])
    for row in table.itertuples():
        cell = 0.1 + 0.02 * 5
        assert row.cells * row.genes * cell + 200 * cell + row.genes * 6 <= 2000
        assert (row.cells + 1) * row.genes * cell + 200 * cell + row.genes * 6 > 2000
    best = table.loc[table["best"]].iloc[0]
    assert best["expected_error"] == table["expected_error"].min()
    assert affordable(10, settings) == pytest.approx((2000 - 40 - 60) / (10 * 0.2))
    with pytest.raises(InputError, match="does not buy 5 cells"):
        plan(features, np.arange(60), np.ones(60), 20.0, settings | {"budget": 50.0}, [5])


def test_nearly_all_genes_cannot_be_changed():
    numbers = numbers_of_pilot(np.ones(10), np.ones(10), 1.0)
    settings = {"cells": [10], "control_cells": 100, "guides": 1, "guide_variance": 0, "false_discovery": 0.05}
    table = cells_table(numbers, settings | {"changed_genes": 2, "level": 0.05})
    assert isinstance(table, pd.DataFrame)
    with pytest.raises(InputError, match="changed_genes"):
        cells_table(numbers, settings | {"changed_genes": 10, "level": 0.05})


@pytest.mark.parametrize("change", [1.0, -1.0, 0.5])
def test_a_fold_change_in_logarithms_is_that_of_drawn_counts(change):
    random = np.random.default_rng(8)
    mean, dispersion = np.array([0.2, 1.0, 4.0, 30.0]), np.array([0.3, 0.5, 0.2, 0.4])

    def logs(level):
        counts = random.negative_binomial(1 / dispersion, 1 / (1 + dispersion * level), (40_000, 4))
        return np.log1p(12.0 * np.column_stack([counts, np.ones(len(counts))]))  # a gene with one count in each cell

    control, changed = logs(mean), logs(mean * 2**change)
    effect, growth = (values[:4] for values in fold_change_in_logs(control, change))
    np.testing.assert_allclose(effect, (changed - control).mean(axis=0)[:4], atol=0.03)
    np.testing.assert_allclose(growth, changed.var(axis=0)[:4] / control.var(axis=0)[:4], rtol=0.06)


def test_rare_genes_are_no_readout():
    control = np.zeros((100, 4))
    control[:4, 0], control[:5, 1], control[:, 2] = 1, 1, 2
    control[:50, 3] = 3
    assert readout_genes(control).tolist() == [1, 3]  # at 4 %, at 5 %, in every cell alike, at a half
    with pytest.raises(InputError, match="1 genes are in 5% of the control cells"):
        readout_genes(control[:, :2])

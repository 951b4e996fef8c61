"""The planner against real cells. Oracles: sums of squares written out, scipy gene by gene, the agreement of halves."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from scarceseq.design.cells import reliability
from scipy import stats

PATH = Path(__file__).parents[3] / "benchmarks/planner.py"


@pytest.fixture(scope="module")
def planner():
    specification = importlib.util.spec_from_file_location("planner_benchmark", PATH)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def papalexi(planner, shared_data):
    folder = shared_data / "perturb/cells"
    if not folder.is_dir():
        pytest.skip(f"the real cells are not at {folder}")
    screens, counts = planner.screens_of(folder)
    return *screens["Papalexi"], counts


def test_thirds_of_each_perturbation_are_equal(planner):
    names = np.repeat(["", "A", "B"], [30, 9, 11])
    third = planner.thirds(names, np.random.default_rng(1))
    assert [np.bincount(third[names == name]).tolist() for name in ("", "A", "B")] == [[10] * 3, [3] * 3, [4, 4, 3]]


def test_the_correlation_of_halves_is_that_of_all_values(planner):
    generator = np.random.default_rng(2)
    names = np.repeat(["", "A", "B", "C"], [40, 10, 10, 10])
    values = generator.normal(size=(70, 6)) + 3 * generator.normal(size=(4, 6))[np.repeat(range(4), [40, 10, 10, 10])]
    (products, _) = planner.halves(values, names, np.array(["A", "B", "C"]), 5, np.random.default_rng(3))
    drawn = np.random.default_rng(3)
    drawn.permutation(40)
    halves = [[], []]
    for name in "ABC":
        at = drawn.permutation(np.flatnonzero(names == name))
        for side in (0, 1):
            halves[side].append(values[at[side * 5 : side * 5 + 5]].mean(axis=0))
    one, other = (np.array(side) - np.mean(side, axis=0) for side in halves)
    assert planner.correlation(products) == pytest.approx(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def test_the_plan_from_a_third_of_real_cells_is_what_the_others_show(planner, papalexi):
    values, names, _ = papalexi
    keep = np.isin(names, ["", "IFNGR1", "IFNGR2", "JAK2", "STAT1", "IRF1", "CUL3", "BRD4", "SMAD4"])
    values, names = values[keep], names[keep]
    perturbations = np.unique(names[names != ""])
    generator = np.random.default_rng(4)
    early = planner.thirds(names, generator) == 0
    values = values[:, planner.readout_genes(values[early & (names == "")])]
    numbers = planner.numbers_from(values[early], names[early], perturbations)
    # One-way analysis of variance, gene by gene: what lies within perturbations, by hand.
    groups = [values[early & (names == name)] for name in perturbations]
    within = sum(((group - group.mean(axis=0)) ** 2).sum(axis=0) for group in groups)
    assert numbers.noise == pytest.approx((within / (sum(map(len, groups)) - len(groups))).mean())
    realised = []
    for _ in range(5):
        products, _ = planner.halves(values[~early], names[~early], perturbations, 50, generator)
        realised.append(planner.correlation(products))
    assert reliability(numbers, 50) == pytest.approx(np.mean(realised), abs=0.1)


def test_genes_are_called_as_scipy_calls_them_one_by_one(planner, papalexi):
    values, names, _ = papalexi
    one, other = values[names == "STAT1"][:60, :40], values[names == ""][:200, :40]
    p = [stats.mannwhitneyu(a, b).pvalue if np.ptp(np.r_[a, b]) else 1 for a, b in zip(one.T, other.T, strict=True)]
    order = np.sort(p)
    line = 0.05 * np.arange(1, 41) / 40
    largest = order[order <= line].max(initial=-1)
    assert planner.called(planner.rank_sum, one, other).tolist() == (np.array(p) <= largest).tolist()


def test_power_is_that_of_welchs_test_on_real_cells_with_genes_at_half(planner, papalexi):
    pairs = [planner.planted_once(papalexi[2], 50, np.random.default_rng([seed, 7])) for seed in range(12)]
    predicted, realised = (np.array([pair[side] for pair in pairs], float).mean(axis=0) for side in (0, 1))
    genes, _, screen, _ = zip(predicted, realised, strict=True)
    assert genes[0] == pytest.approx(genes[1], abs=0.1)
    assert screen[0] == pytest.approx(screen[1], abs=0.15)

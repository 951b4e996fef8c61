"""Four moments stand for all pairs of cells and control cells. Oracles: every pair written out; enumeration."""

import itertools

import numpy as np
import pytest
import torch
from gears_case import CONDITIONS, assert_gradients_equal, gradients, small_case, small_model
from scarceseq.errors import InputError
from scarceseq.perturbation.gears.batches import CellBatches, MomentBatches, Place
from scarceseq.perturbation.gears.loss import autofocus
from scarceseq.perturbation.gears.moments import expected_weights, merge, moments_of_cells, screen_moments
from scarceseq.perturbation.gears.settings import TrainingSettings
from scarceseq.perturbation.gears.training import batch_losses
from scipy import sparse

PLACE = Place(torch.device("cpu"), torch.float64)


def all_differences(case, condition):
    """Every cell of a condition against every control cell of its batch, one row per pair, and the pairs' weights."""
    rows, weights = [], []
    for cell in np.flatnonzero(case.condition == condition):
        controls = np.flatnonzero((case.condition == 0) & (case.batch == case.batch[cell]))
        if not len(controls):
            controls = np.flatnonzero(case.condition == 0)
        rows += [case.expression[cell] - case.expression[control] for control in controls]
        weights += [1 / len(controls)] * len(controls)
    return np.array(rows), np.array(weights) / np.sum(weights)


@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_matrix, sparse.csr_array])
def test_moments_of_differences_equal_those_over_all_pairs(storage):
    case = small_case()
    screen = screen_moments(storage(case.expression), case.condition, case.batch)
    for condition in range(len(CONDITIONS)):
        rows, weights = all_differences(case, condition)
        mean = weights @ rows
        central = [weights @ (rows - mean) ** power for power in (2, 3, 4)]
        for found, expected in zip(screen.difference.arrays(), (mean, *central), strict=True):
            np.testing.assert_allclose(found[condition], expected, rtol=1e-10, atol=1e-12)
    assert screen.cells.tolist() == np.bincount(case.condition).tolist()
    assert not screen.expressed[2, 4]
    assert screen.expressed[0].all()


def test_a_batch_without_control_cells_is_compared_with_all_of_them():
    case = small_case()
    case.batch[(case.batch == 1) & (case.condition == 0)] = 0
    screen = screen_moments(case.expression, case.condition, case.batch)
    rows, weights = all_differences(case, 3)
    np.testing.assert_allclose(screen.difference.mean[3], weights @ rows, atol=1e-12)


def test_a_screen_without_control_or_with_an_empty_condition_is_refused():
    with pytest.raises(InputError, match="no control cells"):
        screen_moments(np.ones((3, 2)), np.array([1, 1, 2]))
    with pytest.raises(InputError, match="condition 1 has no cells"):
        screen_moments(np.ones((3, 2)), np.array([0, 0, 2]))


def test_moments_do_not_depend_on_how_cells_are_divided():
    values = np.random.default_rng(0).gamma(2, size=(700, 5)) + 1000
    whole = moments_of_cells(values, np.arange(700))
    parts = [moments_of_cells(values, rows) for rows in np.array_split(np.arange(700), [100, 101, 400])]
    for merged, expected in zip(merge(parts, [100, 1, 299, 300]).arrays(), whole.arrays(), strict=True):
        np.testing.assert_allclose(merged, expected, rtol=1e-9)
    centred = values - values.mean(axis=0)
    np.testing.assert_allclose(whole.fourth, (centred**4).mean(axis=0), rtol=1e-9)


def test_the_loss_from_moments_equals_the_mean_over_the_distribution():
    draws = torch.from_numpy(np.random.default_rng(0).gamma(1.5, size=(900, 4)))
    centred, delta = draws - draws.mean(dim=0), torch.linspace(-1, 3, 4, dtype=torch.float64, requires_grad=True)
    moments = [draws.mean(dim=0), *((centred**power).mean(dim=0) for power in (2, 3, 4))]
    found, expected = autofocus(delta, *moments), ((delta - draws) ** 4).mean(dim=0)
    torch.testing.assert_close(found, expected)
    slopes = [torch.autograd.grad(loss.sum(), delta)[0] for loss in (found, expected)]
    torch.testing.assert_close(*slopes)


def test_moments_give_loss_and_gradient_of_one_full_batch_of_the_corrected_mode():
    case = small_case()
    model, screen = small_model(case).train(), screen_moments(case.expression, case.condition, case.batch)
    cells = CellBatches(
        case.expression, case.condition, screen, TrainingSettings(mode="corrected"), [1], PLACE, case.batch
    )
    everything = cells.batch_of(np.arange(len(case.condition))[None])
    expected = batch_losses(model, everything, cells.settings, cells)[0]
    expected_gradients = gradients(expected, model)
    settings = TrainingSettings(mode="moments", batch=0, steps_per_epoch=0, weights="uniform")
    moments = MomentBatches(np.arange(len(CONDITIONS)), screen, settings, [1], PLACE)
    moments.share = PLACE.tensor(screen.cells / screen.cells.sum())  # what normalisation sees in a batch of all cells
    (batch,) = moments.epoch(0)
    found = batch_losses(model, batch, settings, moments)[0]
    assert found.item() == pytest.approx(expected.item(), rel=1e-12)
    assert_gradients_equal(gradients(found, model), expected_gradients, 1e-11)


def test_expected_weights_are_those_of_all_batches():
    """Oracle: every batch of 4 of 8 cells."""
    condition, totals = np.repeat([0, 1, 2], [5, 2, 1]), np.zeros(3)
    batches = list(itertools.combinations(range(8), 4))
    for batch in batches:
        present = np.unique(condition[list(batch)])
        totals[present] += 1 / len(present)
    np.testing.assert_allclose(expected_weights([5, 2, 1], 4), totals / len(batches), rtol=1e-12)


def test_control_weighs_a_twentieth_in_batches_of_a_screen_of_87_perturbations():
    """Oracle: simulated batches."""
    cells, generator = np.array([24_000] + [500] * 87), np.random.default_rng(0)
    condition, total = np.repeat(np.arange(88), cells), 0.0
    for _ in range(2000):
        total += 1 / len(np.unique(generator.choice(condition, 32)))
    assert expected_weights(cells, 32)[0] == pytest.approx(total / 2000, rel=0.01)


def test_parts_of_the_perturbations_have_the_full_batch_as_their_mean():
    """Every part holds control; a pass goes through the perturbations once, and its mean weights are those of all."""
    case = small_case()
    screen, everything = screen_moments(case.expression, case.condition), np.arange(len(CONDITIONS))
    settings = TrainingSettings(mode="moments", batch=2, steps_per_epoch=0, weights="reference-expected")
    batches = MomentBatches(everything, screen, settings, [1, 2], PLACE)
    parts = list(batches.epoch(0))
    expected = expected_weights(screen.cells, 32)
    for member in range(2):
        seen = torch.cat([part.rows.condition[member, 1:] for part in parts])
        assert sorted(seen.tolist()) == list(range(1, len(CONDITIONS)))
        found = np.zeros(len(CONDITIONS))
        for part in parts:
            assert part.rows.condition[member, 0] == 0
            found[part.rows.condition[member].numpy()] += part.weight[member].sum(dim=1).numpy() / len(parts)
        np.testing.assert_allclose(found, expected)
    for part in parts:
        torch.testing.assert_close(part.rows.share.sum(dim=1), torch.ones(2, dtype=torch.float64))

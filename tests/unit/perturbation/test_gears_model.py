"""GEARS computes each distinct perturbation once and loses nothing. Oracle: a model that computes every cell alone."""

import numpy as np
import pytest
import torch
from gears_case import (
    CONDITIONS,
    GENES,
    SlowGears,
    assert_gradients_equal,
    gradients,
    slow_loss,
    small_case,
    small_model,
)
from scarceseq.perturbation.gears import decoder
from scarceseq.perturbation.gears.batches import CellBatches, Place
from scarceseq.perturbation.gears.moments import screen_moments
from scarceseq.perturbation.gears.rows import distinct_rows
from scarceseq.perturbation.gears.settings import TrainingSettings
from scarceseq.perturbation.gears.training import batch_losses

CPU = torch.device("cpu")
BATCHES = {
    "mixed": [3, 0, 3, 5, 0, 1, 3],
    "all control": [0, 0, 0],
    "one perturbed": [0, 0, 4, 0],
    "perturbed twice": [2, 2],
    "all different": [0, 1, 2, 3, 4, 5, 6],
}


def cell_batches(case, mode, seeds=(1,), dtype=torch.float64, **settings):
    """Batches of the case's cells."""
    screen = screen_moments(case.expression, case.condition, case.batch)
    chosen = TrainingSettings(mode=mode, **{"batch": 4} | settings)
    return CellBatches(case.expression, case.condition, screen, chosen, list(seeds), Place(CPU, dtype), case.batch)


def kept_genes(case):
    """For each condition the genes that one of its cells expresses; for control all."""
    lists = [
        np.flatnonzero(case.expression[case.condition == number].any(axis=0)).tolist()
        for number in range(len(CONDITIONS))
    ]
    return [list(range(GENES)), *lists[1:]]


def cells_of(case, conditions, generator):
    """A cell of each of these conditions."""
    return np.array([generator.choice(np.flatnonzero(case.condition == number)) for number in conditions])


def slow_pairs(case, cells, partner):
    """The pairs that each cell is compared in: one with its partner, or with every control cell of its batch."""
    rows = torch.from_numpy(case.expression)
    if partner is not None:
        return [[(rows[partner[cell]], rows[cell])] for cell in cells]
    controls = [np.flatnonzero((case.condition == 0) & (case.batch == case.batch[cell])) for cell in cells]
    return [[(rows[x], rows[cell]) for x in near] for cell, near in zip(cells, controls, strict=True)]


@pytest.mark.parametrize("mode", ["reference", "corrected"])
@pytest.mark.parametrize("name", BATCHES)
@pytest.mark.parametrize(("layers", "uncertainty"), [(1, False), (2, True)])
def test_outputs_loss_and_gradients_equal_those_of_cells_computed_alone(mode, name, layers, uncertainty):
    case = small_case()
    shape = {"coexpression_layers": layers, "similarity_layers": layers, "uncertainty": uncertainty}
    model, batches = small_model(case, **shape), cell_batches(case, mode)
    conditions, reference = BATCHES[name], mode == "reference"
    cells = cells_of(case, conditions, np.random.default_rng(3))
    batch = batches.batch_of(cells[None])
    slow = SlowGears(model, 0, case)
    informed = [cell == 0 or not reference for cell in range(len(cells))]
    model.train()
    delta, _ = model(batch.rows)
    slow_delta, slow_log_variance = slow(conditions, informed)
    torch.testing.assert_close(delta[0, batch.rows.position[0]], slow_delta, rtol=0, atol=1e-10)
    pairs = slow_pairs(case, cells, batches.partner if reference else None)
    # the direction term is left out against all controls, since its gradient is 0
    weight = 0.1 if reference else 0.0
    mean_control = torch.from_numpy(case.expression[case.condition == 0].mean(axis=0))
    expected = slow_loss(slow_delta, slow_log_variance, conditions, pairs, kept_genes(case), mean_control, weight)
    found = batch_losses(model, batch, batches.settings, batches)[0]
    assert found.item() == pytest.approx(expected.item(), rel=1e-10)
    # of two equal rows nothing is left for BatchNorm to scale but its epsilon, which enlarges rounding a thousand times
    tolerance = 1e-8 if name == "perturbed twice" else 1e-10
    assert_gradients_equal(gradients(found, model), gradients(expected, model), tolerance)


def test_members_of_an_ensemble_do_not_mix():
    """Oracle: the same weights one member at a time, batches of different make-up."""
    case = small_case()
    model, batches = small_model(case, seeds=(1, 2, 3)), cell_batches(case, "reference", seeds=(1, 2, 3))
    conditions = [[3, 0, 3, 5], [0, 0, 0, 0], [1, 2, 3, 4]]
    generator = np.random.default_rng(3)
    cells = np.stack([cells_of(case, row, generator) for row in conditions])
    batch = batches.batch_of(cells)
    losses = batch_losses(model.train(), batch, batches.settings, batches)
    together = gradients(losses.sum(), model)
    for member in range(3):
        slow_delta, _ = SlowGears(model, member, case)(conditions[member], [True, False, False, False])
        pairs = slow_pairs(case, cells[member], batches.partner)
        expected = slow_loss(slow_delta, None, conditions[member], pairs, kept_genes(case), batches.mean_control)
        assert losses[member].item() == pytest.approx(expected.item(), rel=1e-12)
        alone = gradients(expected, model)
        for name, values in alone.items():
            torch.testing.assert_close(together[name][member], values[member], rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("cells_of_block", [1, 60, 10_000])
def test_the_decoder_gives_the_same_whatever_its_blocks(cells_of_block, monkeypatch):
    """Oracle: all genes in one block."""
    case = small_case()
    model, batches = small_model(case), cell_batches(case, "reference")
    batch = batches.batch_of(np.arange(20)[None])
    found = []
    for size in (10**6, cells_of_block):
        monkeypatch.setitem(decoder.CELLS_OF_BLOCK, "cpu", size)
        losses = batch_losses(model.train(), batch, batches.settings, batches)
        found.append((losses.detach(), gradients(losses.sum(), model)))
    torch.testing.assert_close(found[1][0], found[0][0])
    assert_gradients_equal(found[1][1], found[0][1], 1e-12)


@pytest.mark.parametrize("mode", ["reference", "corrected"])
@pytest.mark.parametrize("name", BATCHES)
def test_running_statistics_and_predictions_equal_those_of_cells_computed_alone(mode, name):
    case, reference = small_case(), mode == "reference"
    model, batches = small_model(case, uncertainty=True), cell_batches(case, mode)
    conditions, slow = BATCHES[name], SlowGears(model, 0, case)
    rows = batches.batch_of(cells_of(case, conditions, np.random.default_rng(3))[None]).rows
    model.train()
    for _ in range(2):
        model(rows)
        slow(conditions, [cell == 0 or not reference for cell in range(len(conditions))])
    for key, expected in slow.statistics.items():
        torch.testing.assert_close(model.get_buffer(key)[0], expected, rtol=1e-9, atol=1e-12)
    slow.training = False
    everything = list(range(len(CONDITIONS)))
    for alone in (False, True):
        found = model.predict(torch.tensor(everything), alone)
        expected = slow(everything, [not alone] * len(everything))
        for own, other in zip(found, expected, strict=True):
            torch.testing.assert_close(own[0], other, rtol=1e-9, atol=1e-10)


def test_single_precision_is_near_double():
    case = small_case()
    losses = {}
    for dtype in (torch.float32, torch.float64):
        model, batches = small_model(case, dtype=dtype), cell_batches(case, "reference", dtype=dtype)
        loss = batch_losses(model.train(), batches.batch_of(np.arange(20)[None]), batches.settings, batches)
        losses[dtype] = (loss.item(), gradients(loss.sum(), model))
    assert losses[torch.float32][0] == pytest.approx(losses[torch.float64][0], rel=1e-5)
    assert_gradients_equal(losses[torch.float32][1], losses[torch.float64][1], 1e-5)


def test_a_batch_has_one_row_per_distinct_condition():
    rows = distinct_rows(torch.tensor([[4, 2, 2, 2, 0], [1, 1, 1, 1, 1]]), first_alone=False)
    assert rows.condition.tolist() == [[0, 2, 4], [1, 0, 0]]
    torch.testing.assert_close(rows.share, torch.tensor([[0.2, 0.6, 0.2], [1.0, 0.0, 0.0]], dtype=torch.float64))
    assert rows.position.tolist() == [[2, 1, 1, 1, 0], [0, 0, 0, 0, 0]]
    alone = distinct_rows(torch.tensor([[2, 2, 2]]), first_alone=True)
    assert (alone.condition.tolist(), alone.position.tolist()) == ([[2, 2]], [[0, 1, 1]])

"""The mode `reference` computes what the installed cell-gears 0.1.2 computes. Oracle: that package, weights copied."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from gears_case import CONDITIONS, GENES, NODES, small_case
from scarceseq.perturbation.gears.batches import CellBatches, Place
from scarceseq.perturbation.gears.model import Gears
from scarceseq.perturbation.gears.moments import screen_moments
from scarceseq.perturbation.gears.settings import ModelSettings, TrainingSettings
from scarceseq.perturbation.gears.training import batch_losses

PATH = Path(__file__).parents[3] / "benchmarks/tools/gears_peer.py"
TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-5}
# Normalising over a few equal rows divides rounding by the root of 1e-5, so single precision needs fuller batches.
FULL = ("mixed", "large")
BATCHES = {
    "mixed": [3, 0, 3, 5, 0, 1, 3],
    "control first": [0, 6, 6, 2],
    "all control": [0, 0, 0],
    "one perturbed": [0, 0, 4, 0],
    "two cells": [2, 1],
    "large": [0, 3, 3, 1, 5, 0, 2] * 9,
}


@pytest.fixture(scope="module")
def peer():
    if importlib.util.find_spec("gears") is None:
        pytest.skip("cell-gears is not installed; `make .venv/peers` installs it")
    specification = importlib.util.spec_from_file_location("gears_peer", PATH)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    module.import_gears()
    return module


class Both:
    """Their model and ours with the same weights, and batches of the small case."""

    def __init__(self, peer, dtype, **shape):
        case, settings = small_case(), ModelSettings(**shape)
        self.peer, self.dtype, self.case = peer, dtype, case
        torch.manual_seed(3)
        graphs = case.coexpression, case.similarity
        self.stock = peer.stock_model(GENES, NODES, *graphs, settings, dtype)
        targets = np.full((len(CONDITIONS), 2), -1)
        for row, nodes in enumerate(CONDITIONS):
            targets[row, : len(nodes)] = nodes
        self.ours = Gears(GENES, graphs[0], graphs[1], targets, NODES, settings, [0], dtype)
        peer.copy_weights(self.stock, self.ours)
        self.screen = screen_moments(case.expression, case.condition)
        self.kept = [np.flatnonzero(row) for row in self.screen.expressed]
        self.training = TrainingSettings(mode="reference", batch=4)
        place = Place(torch.device("cpu"), dtype)
        self.batches = CellBatches(case.expression, case.condition, self.screen, self.training, [5], place)
        self.generator = np.random.default_rng(11)

    def batch(self, conditions):
        """Cells of these conditions, as theirs and as ours."""
        case = self.case
        cells = np.array([self.generator.choice(np.flatnonzero(case.condition == number)) for number in conditions])
        values = torch.from_numpy(case.expression).to(self.dtype)
        pair = values[self.batches.partner[cells]], values[cells]
        return self.peer.stock_batch(*pair, conditions, CONDITIONS), self.batches.batch_of(cells[None])

    def losses(self, theirs, own):
        """Their loss and ours of one batch, in training mode."""
        mean_control = torch.from_numpy(self.screen.mean_control).to(self.dtype)
        prediction = self.stock.train()(theirs)
        expected = self.peer.stock_loss(prediction, theirs, self.kept, mean_control, CONDITIONS, self.training)
        return expected, batch_losses(self.ours.train(), own, self.training, self.batches).sum()


@pytest.mark.parametrize(
    ("dtype", "name"), [(dtype, name) for dtype in TOLERANCE for name in (BATCHES if dtype == torch.float64 else FULL)]
)
@pytest.mark.parametrize("layers", [1, 2])
def test_outputs_loss_gradients_and_statistics_equal_those_of_cell_gears(peer, dtype, name, layers):
    both = Both(peer, dtype, similarity_layers=layers, coexpression_layers=layers)
    theirs, own = both.batch(BATCHES[name])
    expected = both.stock.train()(theirs)
    delta, _ = both.ours.train()(own.rows)
    found = delta[0, own.rows.position[0]] + theirs.x.view(expected.shape)
    tolerance = TOLERANCE[dtype]
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance * float(expected.abs().max()))
    expected, found = both.losses(theirs, own)
    assert found.item() == pytest.approx(expected.item(), rel=tolerance)
    expected.backward()
    found.backward()
    assert peer.differences(both.stock, both.ours, lambda parameter: parameter.grad) < tolerance
    state = both.ours.state_dict()
    for key, values in both.stock.state_dict().items():
        if "running" in key and peer.our_name(key):
            torch.testing.assert_close(
                state[peer.our_name(key)][0], values, rtol=tolerance, atol=tolerance * (1 + float(values.abs().max()))
            )


@pytest.mark.parametrize("alone", [False, True])
def test_predictions_equal_those_of_cell_gears_in_evaluation(peer, alone):
    """The first cell of their batch receives co-expression information, the second does not."""
    both = Both(peer, torch.float64)
    for _ in range(3):
        both.losses(*both.batch(BATCHES["mixed"]))
    everything = torch.arange(len(CONDITIONS))
    predicted, _ = both.ours.predict(everything, alone)
    for condition in range(len(CONDITIONS)):
        theirs, _ = both.batch([condition, condition])
        expected = both.stock.eval()(theirs) - theirs.x.view(2, -1)
        torch.testing.assert_close(predicted[0, condition], expected[int(alone)], rtol=1e-10, atol=1e-10)


def test_the_uncertainty_head_equals_that_of_cell_gears(peer):
    both = Both(peer, torch.float64, uncertainty=True)
    theirs, own = both.batch(BATCHES["mixed"])
    with torch.no_grad():  # their loss cannot be differentiated on a processor
        expected, found = both.losses(theirs, own)
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)  # they add up in single precision
    delta, log_variance = both.ours(own.rows)
    for own_values, their_values, start in zip(
        (delta, log_variance), both.stock(theirs), (theirs.x.view(7, -1), 0), strict=True
    ):
        torch.testing.assert_close(own_values[0, own.rows.position[0]] + start, their_values, rtol=0, atol=1e-10)


def test_training_follows_cell_gears_step_by_step(peer):
    """Adam with weight decay included; every batch holds a perturbed cell."""
    both = Both(peer, torch.float64)
    settings = both.training
    optimisers = [
        torch.optim.Adam(model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=fused)
        for model, fused in ((both.stock, False), (both.ours, True))
    ]
    for step in range(12):
        losses = both.losses(*both.batch([3, 0, (step * 5) % 7, 1, step % 7]))
        for model, optimiser, loss in zip((both.stock, both.ours), optimisers, losses, strict=True):
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_value_(model.parameters(), settings.largest_gradient)
            optimiser.step()
        assert losses[1].item() == pytest.approx(losses[0].item(), rel=1e-8)
    # a bias before a normalisation: its true gradient is 0, and Adam makes steps of the rounding that is there instead
    idle = both.ours.gene_mlp.second_norm.bias
    idle.data.copy_(both.stock.emb_trans_v2.network[4].bias.data)
    assert peer.differences(both.stock, both.ours, lambda parameter: parameter.detach()) < 1e-8

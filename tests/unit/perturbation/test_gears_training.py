"""Training: deterministic, members apart, the best epoch kept, and it learns."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scarceseq
import torch
from gears_case import CONDITIONS, small_case, small_model
from scarceseq.errors import InputError
from scarceseq.perturbation.gears.batches import CellBatches, MomentBatches, Place, pair_with_controls
from scarceseq.perturbation.gears.evaluation import mean_errors, paired_difference
from scarceseq.perturbation.gears.moments import screen_moments
from scarceseq.perturbation.gears.settings import TrainingSettings
from scarceseq.perturbation.gears.training import train

PLACE = Place(torch.device("cpu"), torch.float64)
MODES = {
    "reference": TrainingSettings(mode="reference", batch=8, epochs=3, decay_per_epoch=0.9),
    "corrected": TrainingSettings(mode="corrected", batch=8, epochs=3, decay_per_epoch=0.9),
    "moments": TrainingSettings(
        mode="moments", batch=0, epochs=3, steps_per_epoch=6, decay_per_epoch=0.9, weights="uniform"
    ),
    "moments in parts": TrainingSettings(
        mode="moments", batch=3, epochs=3, steps_per_epoch=6, decay_per_epoch=0.9, weights="uniform"
    ),
}


def batches_of(case, settings, seeds):
    """Batches of the case for one of the modes."""
    screen = screen_moments(case.expression, case.condition, case.batch)
    if settings.mode == "moments":
        return MomentBatches(np.arange(len(CONDITIONS)), screen, settings, seeds, PLACE)
    return CellBatches(case.expression, case.condition, screen, settings, seeds, PLACE, case.batch)


@pytest.mark.parametrize("mode", MODES)
def test_an_ensemble_trains_each_member_as_if_alone(mode):
    case, settings = small_case(), MODES[mode]
    together = small_model(case, seeds=(4, 5))
    for member, seed in enumerate((4, 5)):
        together_seeds, alone = [4, 5], small_model(case, seeds=(seed,))
        for parameter, both in zip(alone.parameters(), together.parameters(), strict=True):
            parameter.data.copy_(both.data[member : member + 1])
        batches = batches_of(case, settings, [seed])
        if settings.mode == "reference":  # the pairing is the screen's, not the member's
            batches.partner = batches_of(case, settings, together_seeds).partner
        history = train(alone, batches, settings)
        ensemble = small_model(case, seeds=(4, 5))
        both = train(ensemble, batches_of(case, settings, together_seeds), settings)
        assert [epoch["loss"][member] for epoch in both] == pytest.approx([epoch["loss"][0] for epoch in history])
        predicted = [model.predict(torch.arange(len(CONDITIONS)))[0] for model in (ensemble, alone)]
        torch.testing.assert_close(predicted[0][member], predicted[1][0], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("mode", MODES)
def test_the_loss_falls_and_the_same_seeds_give_the_same_weights(mode):
    case, settings = small_case(), MODES[mode]
    states = []
    for _ in range(2):
        model = small_model(case)
        history = train(model, batches_of(case, settings, [1]), settings)
        states.append(model.state_dict())
    assert history[-1]["loss"][0] < 0.98 * history[0]["loss"][0]
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())


def test_training_finds_the_effects_of_perturbations_that_it_sees():
    """Oracle: the measured mean differences."""
    case = small_case(cells=400)
    effect = np.random.default_rng(0).normal(size=(len(CONDITIONS), case.expression.shape[1]))
    effect[0] = 0
    case.expression[:] = np.maximum(0.3 * case.expression + 3 + effect[case.condition], 0.01)
    settings = TrainingSettings(
        mode="moments",
        batch=0,
        weights="uniform",
        epochs=8,
        steps_per_epoch=60,
        learning_rate=1e-2,
        decay_per_epoch=0.7,
    )
    model, screen = small_model(case), screen_moments(case.expression, case.condition)
    train(model, MomentBatches(np.arange(len(CONDITIONS)), screen, settings, [1], PLACE), settings)
    predicted = model.predict(torch.arange(len(CONDITIONS)))[0][0].numpy()
    measured = screen.difference.mean
    assert ((predicted - measured)[1:] ** 2).mean() < 0.1 * (measured[1:] ** 2).mean()


def test_each_member_keeps_its_best_epoch():
    """Oracle: errors that are told, and the state at that time."""
    case, settings = small_case(), MODES["moments"]
    errors, states = [[3.0, 1.0], [2.0, 5.0], [9.0, 4.0]], []

    def validate(model):
        states.append({name: value.clone() for name, value in model.state_dict().items()})
        return torch.tensor(errors[len(states) - 1])

    model = small_model(case, seeds=(4, 5))
    history = train(model, batches_of(case, settings, [4, 5]), settings, validate)
    for name, value in model.state_dict().items():
        assert torch.equal(value[0], states[1][name][0])
        assert torch.equal(value[1], states[0][name][1])
    assert [epoch["validation"] for epoch in history] == errors


def test_every_cell_is_paired_once_with_a_control_cell_and_control_with_itself():
    condition = np.array([0, 1, 2, 0, 1, 1])
    partner = pair_with_controls(condition, 3)
    assert partner[[0, 3]].tolist() == [0, 3]
    assert set(partner[condition > 0]) <= {0, 3}
    assert (pair_with_controls(condition, 3) == partner).all()
    with pytest.raises(InputError, match="no control cells"):
        pair_with_controls(np.array([1, 2]), 3)


def test_an_epoch_goes_through_the_training_cells_once():
    case = small_case()
    settings = TrainingSettings(mode="corrected", batch=8)
    screen = screen_moments(case.expression, case.condition)
    rows = np.arange(3, 40)
    batches = CellBatches(case.expression, case.condition, screen, settings, [1, 2], PLACE, rows=rows)
    seen = []
    batches.batch_of = seen.append
    list(batches.epoch(0))
    for member in (0, 1):
        cells = np.concatenate([batch[member] for batch in seen])
        assert len(cells) == len(set(cells)) == 32
        assert set(cells) <= set(rows)


def test_errors_of_mean_predictions_equal_those_over_cells():
    """Oracle: every cell's prediction written out, two in five of them with co-expression information."""
    case = small_case(cells=93)
    screen = screen_moments(case.expression, case.condition)
    batches = CellBatches(case.expression, case.condition, screen, MODES["reference"], [1], PLACE)
    model, informed = small_model(case), np.arange(100) % 5 < 2
    chosen, rows = np.array([1, 4, 6]), np.arange(3, 100)
    delta = [model.predict(torch.arange(len(CONDITIONS)), alone)[0][0].numpy() for alone in (False, True)]
    expected, alone = [], []
    for condition in chosen:
        cells = rows[case.condition[rows] == condition]
        predicted = np.where(informed[cells, None], delta[0][condition], delta[1][condition])
        predicted = predicted + case.expression[batches.partner[cells]]
        expected.append((predicted.mean(axis=0) - case.expression[cells].mean(axis=0)) ** 2)
        alone.append(1 - informed[cells].mean())
    difference = paired_difference(batches, chosen, rows)
    found = mean_errors(model.train(), chosen, difference, alone_share=np.array(alone))[0]
    np.testing.assert_allclose(found, np.mean(expected, axis=1))
    counted = np.random.default_rng(0).random((3, case.expression.shape[1])) < 0.5
    found = mean_errors(model, chosen, difference, counted, np.array(alone))[0]
    np.testing.assert_allclose(found, [row[use].mean() for row, use in zip(expected, counted, strict=True)])
    assert model.training


def test_bad_settings_are_refused_in_words():
    case = small_case()
    screen = screen_moments(case.expression, case.condition)
    with pytest.raises(InputError, match="do not fill a batch of 1000"):
        CellBatches(case.expression, case.condition, screen, TrainingSettings(batch=1000), [1], PLACE)
    with pytest.raises(InputError, match="weights 'other'"):
        MomentBatches(
            np.arange(3), screen, TrainingSettings(mode="moments", steps_per_epoch=0, weights="other"), [1], PLACE
        )
    diverging = TrainingSettings(
        mode="moments", batch=0, weights="uniform", epochs=2, steps_per_epoch=20, learning_rate=1e30
    )
    with pytest.raises(InputError, match="lower learning_rate"):
        train(small_model(case), batches_of(case, diverging, [1]), diverging)


PROGRAM = """
import importlib, sys
for name in ("pandas", "sklearn", "snakemake", "scipy", "anndata", "scanpy", "pyarrow", "matplotlib", "numba"):
    sys.modules[name] = None  # any import of it fails
for name in ("model", "training", "batches", "moments", "evaluation"):
    importlib.import_module("scarceseq.perturbation.gears." + name)
print("imported")
"""


def test_training_needs_torch_and_numpy_only():
    scripts = Path(scarceseq.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, cwd=scripts, check=False)
    assert (done.stdout, done.returncode) == ("imported\n", 0), done.stderr

"""How a network is trained: parts of a batch, precision, early stopping, spikes, curves."""

import dataclasses
import logging
import math
import struct

import numpy as np
import pytest
import torch
from scarceseq.corpus.order import draw_batches
from scarceseq.errors import InputError
from scarceseq.pretrain.batches import cut_batch, make_batch, standardiser
from scarceseq.pretrain.checkpoint import Checkpoint
from scarceseq.pretrain.events import Events
from scarceseq.pretrain.run import initial_base, pretrain
from scarceseq.pretrain.run_state import choose_dtype
from scarceseq.pretrain.samples import read_matrix
from scarceseq.pretrain.task import make_task
from scarceseq.pretrain.training import rate_factor, train
from scarceseq.pretrain.watch import LEAST_STEPS, LossWatch, Patience
from scarceseq.pretrain.worker import repeat_exactly
from scarceseq.seeds import derive
from small_corpus import small_expression, write_corpus

CPU = torch.device("cpu")


@pytest.fixture
def matrix(tmp_path):
    return read_matrix(*write_corpus(tmp_path / "corpus", *small_expression()), "default")


def run(matrix, settings, **options):
    """(base, task, history, kept step) of a training."""
    base = initial_base(matrix, settings, 3, CPU)
    rows, validation = matrix.rows(["pretrain"]), matrix.rows(["validation"])
    task = make_task(base, matrix, rows, settings, 3)
    history, kept = train(task, base, matrix.expression, rows, validation, settings, 3, **options)
    return base, task, history, kept


@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("samples_at_once", [0, 1, 4, 99])
def test_parts_of_all_processes_are_disjoint_and_cover_the_batch(size, samples_at_once):
    parts = [part for rank in range(size) for part in cut_batch(23, samples_at_once, rank, size)]
    assert [place for part in parts for place in part] == list(range(23))
    assert max(map(len, parts)) <= (samples_at_once or 23)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("stored", [torch.float16, torch.float32])
def test_standardised_values_are_z_scores_to_the_precision_asked_for(stored, dtype):
    values = torch.rand(150, 30, dtype=torch.float64).mul(12).to(stored)
    mean, scale = torch.rand(30) * 5, torch.rand(30) + 0.1
    expected = (values.double() - mean.double()) / scale.double()
    found = standardiser(mean, scale, dtype)(values)
    assert found.dtype == dtype
    tolerance = 1e-5 if dtype == torch.float32 else 2.0**-8
    torch.testing.assert_close(found.double(), expected, rtol=tolerance, atol=1e-4)


@pytest.mark.parametrize("samples_at_once", [1, 5, 16, 100])
def test_gradient_of_the_parts_adds_up_to_that_of_the_batch(matrix, settings, samples_at_once):
    base = initial_base(matrix, settings, 3, CPU)
    task = make_task(base, matrix, matrix.rows(["pretrain"]), settings, 3)
    samples = np.arange(settings.batch_samples)
    expression = base.standardise(matrix.expression[samples])

    def gradients(parts):
        task.zero_grad()
        for part in parts:
            rows = slice(part.start, part.stop)
            loss = task(make_batch(samples[rows], expression[rows], part, settings, 8))["loss"]
            (loss * len(part) / settings.batch_samples).backward()
        return [parameter.grad.clone() for parameter in task.parameters()]

    whole, parts = gradients(cut_batch(16)), gradients(cut_batch(16, samples_at_once))
    largest = max(gradient.abs().max() for gradient in whole)
    for one, other in zip(whole, parts, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6 * largest)


def test_batch_computed_in_parts_trains_the_same_network(matrix, settings):
    _, whole, history, _ = run(matrix, settings)
    _, parts, history_of_parts, _ = run(matrix, dataclasses.replace(settings, samples_at_once=3))
    for one, other in zip(history, history_of_parts, strict=True):
        assert one == pytest.approx(other, rel=1e-4)
    for one, other in zip(whole.parameters(), parts.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("maximum", [1e-7, 0.5, 1e3])
def test_gradients_are_clipped_as_torch_clips_them(matrix, settings, maximum):
    """Against the plain loop: gradients scaled, then AdamW not fused; the least maximum is near its eps."""
    settings = dataclasses.replace(settings, steps=4, maximum_gradient_norm=maximum, weight_decay=0.1)
    _, task, _, _ = run(matrix, settings)
    base = initial_base(matrix, settings, 3, CPU)
    rows = matrix.rows(["pretrain"])
    plain = make_task(base, matrix, rows, settings, 3)
    optimiser = torch.optim.AdamW(plain.parameters(), weight_decay=0.1, fused=False)
    for step, samples in zip(range(1, 5), draw_batches(rows, 16, derive(3, "batches")), strict=False):
        values = base.standardise(matrix.expression[samples])
        optimiser.zero_grad()
        plain(make_batch(samples, values, range(16), settings, derive(3, "step", step)))["loss"].backward()
        norm = torch.nn.utils.clip_grad_norm_(plain.parameters(), maximum)
        assert 1e-3 < norm < 1e3
        optimiser.param_groups[0]["lr"] = settings.learning_rate * rate_factor(step - 1, settings)
        optimiser.step()
    for (name, one), other in zip(task.named_parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=2e-5, msg=name)
    start = make_task(initial_base(matrix, settings, 3, CPU), matrix, rows, settings, 3)
    moved = max(
        (one - other).abs().max().item() for one, other in zip(task.parameters(), start.parameters(), strict=True)
    )
    assert moved > (1e-3 if maximum > 1e-3 else 1e-4)


def test_bfloat16_trains_float32_weights_as_well(matrix, settings):
    _, task, history, _ = run(matrix, dataclasses.replace(settings, precision="bfloat16"))
    _, _, exact, _ = run(matrix, settings)
    assert {parameter.dtype for parameter in task.parameters()} == {torch.float32}
    assert history[-1]["validation_loss"] == pytest.approx(exact[-1]["validation_loss"], rel=0.03)
    if choose_dtype("bfloat16", CPU) == torch.bfloat16:
        assert history[-1]["validation_loss"] != exact[-1]["validation_loss"]


@pytest.mark.parametrize(
    ("capability", "dtype"),
    [
        ("avx512_bf16", torch.bfloat16),
        ("amx_bf16", torch.bfloat16),
        ("avx2", torch.float32),
        ("avx512_f", torch.float32),
    ],
)
def test_auto_is_bfloat16_on_processors_with_instructions_for_it(monkeypatch, capability, dtype):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {capability: True})
    assert choose_dtype("auto", CPU) == dtype
    assert choose_dtype("float32", CPU) == torch.float32


def test_bfloat16_is_not_emulated(monkeypatch, caplog):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True})
    with caplog.at_level(logging.WARNING):
        assert choose_dtype("bfloat16", CPU) == torch.float32
    assert "does not compute in bfloat16: float32 is used" in caplog.text
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": True})
    assert choose_dtype("bfloat16", CPU) == torch.bfloat16


def test_deterministic_mode_refuses_what_is_not(monkeypatch):
    try:
        repeat_exactly()
        assert torch.are_deterministic_algorithms_enabled()
        assert torch.empty(3).shape == (3,)
    finally:
        torch.use_deterministic_algorithms(False)
        torch.utils.deterministic.fill_uninitialized_memory = True


def test_early_stopping_keeps_the_weights_validated_best(matrix, settings):
    """Noise to learn by heart: validation soon gets worse. Oracle: a run that ends where this one was best."""
    wild = dataclasses.replace(matrix, expression=np.random.default_rng(0).normal(size=matrix.expression.shape))
    settings = dataclasses.replace(settings, steps=400, validate_every_steps=10, input_noise=0.0, weight_decay=0.0)
    stopping = dataclasses.replace(settings, early_stopping_validations=3)
    _, task, history, kept = run(wild, stopping)
    losses = [entry["validation_loss"] for entry in history]
    assert kept == history[int(np.argmin(losses))]["step"]
    assert history[-1]["step"] == kept + 30 < 400
    at_best = []

    class Copy:
        def start(self, step):
            pass

        def write(self, step, values):
            if step == kept and "validation/loss" in values:
                at_best.extend(parameter.detach().clone() for parameter in watched.parameters())

        def close(self):
            pass

    base = initial_base(wild, settings, 3, CPU)
    watched = make_task(base, wild, wild.rows(["pretrain"]), settings, 3)
    rows, validation = wild.rows(["pretrain"]), wild.rows(["validation"])
    train(watched, base, wild.expression, rows, validation, settings, 3, events=Copy())
    assert all(torch.equal(one, other) for one, other in zip(task.parameters(), at_best, strict=True))


def test_early_stopping_needs_validation_studies(matrix, settings):
    roles = np.where(matrix.roles == "validation", "pretrain", matrix.roles)
    settings = dataclasses.replace(settings, early_stopping_validations=2)
    with pytest.raises(InputError, match="has no validation studies"):
        pretrain(dataclasses.replace(matrix, roles=roles), settings, 9, CPU)


def test_patience_counts_validations_without_gain():
    patience = Patience()
    losses = [3.0, 2.0, 2.5, 2.0, 1.9, math.nan]
    assert [patience.improved(loss, step) for step, loss in enumerate(losses)] == [
        True,
        True,
        False,
        False,
        True,
        False,
    ]
    assert patience == Patience(1.9, 4, 1)


def watched(losses, settings):
    watch = LossWatch()
    for step, loss in enumerate(losses, start=1):
        watch.check(loss, step, settings, "; kept")
    return watch


def test_loss_that_stays_high_ends_the_run(settings):
    usual = [1 + 0.3 * math.sin(step) for step in range(300)]
    settings = dataclasses.replace(settings, loss_spike_steps=5)
    assert watched([*usual, *[20.0] * 4, 1.0, *[20.0] * 4], settings).high == 4
    message = r"the loss is 20 at step 305 of 60.*3 times its median, 1\.\d+, for 5 steps; lower learning_rate.*; kept"
    with pytest.raises(InputError, match=message):
        watched([*usual, *[20.0] * 5], settings)


def test_first_losses_have_no_median_to_be_compared_with(settings):
    assert watched([1.0] * 10 + [9.0] * (LEAST_STEPS + 50), settings).high == 0


def test_run_that_diverges_keeps_the_last_good_checkpoint(matrix, settings, tmp_path, monkeypatch):
    """From step 41 on the learning rate is absurd."""
    from scarceseq.pretrain import training

    calm = training.rate_factor
    monkeypatch.setattr(training, "rate_factor", lambda step, s: calm(step, s) if step < 40 else 1e25)
    settings = dataclasses.replace(settings, maximum_gradient_norm=1e30)
    checkpoint = Checkpoint(tmp_path / "checkpoint", "a")
    with pytest.raises(InputError, match=r"the loss is (nan|inf) at step 4\d of 60.*keeps step 40, where an unchanged"):
        run(matrix, settings, checkpoint=checkpoint)
    tensors, scalars = checkpoint.load()
    assert scalars["step"] == 40
    assert all(tensor.isfinite().all() for tensor in tensors.values())


def records(path):
    """Payloads of a TFRecord file: length, its checksum, payload, its checksum."""
    content, place, found = path.read_bytes(), 0, []
    while place < len(content):
        (length,) = struct.unpack_from("<Q", content, place)
        found.append(content[place + 12 : place + 12 + length])
        place += 16 + length
    return found


def scalars(folder):
    """(name, step) to value over all event files of a folder."""
    event_pb2 = pytest.importorskip("tensorboardX.proto.event_pb2")
    found = {}
    for path in sorted(folder.iterdir()):
        for payload in records(path):
            event = event_pb2.Event.FromString(payload)
            for value in event.summary.value:
                found[value.tag, event.step] = value.simple_value
    return found


def test_curves_hold_the_history(matrix, settings, tmp_path):
    _, _, history, _ = run(matrix, settings, events=Events(tmp_path / "events"))
    found = scalars(tmp_path / "events")
    for entry in history:
        assert found["validation/loss", entry["step"]] == pytest.approx(entry["validation_loss"], rel=1e-6)
    assert ("learning_rate", 60) in found
    run(matrix, dataclasses.replace(settings, steps=20), events=Events(tmp_path / "events"))
    assert max(step for _, step in scalars(tmp_path / "events")) == 20, "curves of the run before are gone"


def test_without_the_package_no_curves_are_written(tmp_path, monkeypatch, caplog):
    monkeypatch.setitem(__import__("sys").modules, "tensorboardX", None)
    events = Events(tmp_path / "events")
    with caplog.at_level(logging.INFO):
        events.start(0)
    events.write(1, {"loss": 1.0})
    events.close()
    assert "no curves are written" in caplog.text
    assert not (tmp_path / "events").exists()

"""Killed at any moment and started again, training ends at the same weights. Oracle: the unbroken run's bytes."""

import json
import logging
import multiprocessing
import signal

import killed_run
import pytest
import torch
from scarceseq.pretrain.checkpoint import NAME, Checkpoint, fingerprint
from small_corpus import small_expression, write_corpus

# Children of a server that has imported what takes long (an optimiser imports dynamo), and knows nothing else.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["killed_run", "pandas", "pyarrow.parquet", "torch._dynamo"])


def start(folder, *arguments):
    """Exit status and log of one run."""
    process = PROCESSES.Process(target=killed_run.main, args=(str(folder), *arguments))
    process.start()
    process.join()
    log = (folder / "log").read_text()
    assert process.exitcode in (0, -signal.SIGKILL), log
    return process.exitcode, log


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """Weights and history of a run that nothing interrupted."""
    folder = tmp_path_factory.mktemp("unbroken")
    write_corpus(folder / "corpus", *small_expression())
    assert start(folder)[0] == 0
    return (folder / "model.safetensors").read_bytes(), json.loads((folder / "history.json").read_text())


def finish(folder, unbroken):
    """Start a killed run again; returns its log."""
    status, log = start(folder)
    assert status == 0
    assert (folder / "model.safetensors").read_bytes() == unbroken[0]
    assert json.loads((folder / "history.json").read_text()) == unbroken[1]
    return log


# a checkpoint every 8 steps, an entry of the history every 20, 60 steps
@pytest.mark.parametrize(
    ("moment", "number", "resumed"),
    [
        ("step", 1, None),
        ("step", 8, None),
        ("step", 9, 8),
        ("step", 20, 16),
        ("step", 21, 16),
        ("step", 59, 56),
        ("checkpoint", 1, None),
        ("half", 1, None),
        ("half", 3, 16),
        ("rename", 4, 24),
    ],
)
def test_killed_run_ends_at_the_same_weights(tmp_path, unbroken, moment, number, resumed):
    write_corpus(tmp_path / "corpus", *small_expression())
    status, _ = start(tmp_path, moment, number)
    assert status == -signal.SIGKILL
    log = finish(tmp_path, unbroken)
    assert (f"resuming after step {resumed}" in log) == (resumed is not None), log


def test_killed_again_and_again(tmp_path, unbroken):
    write_corpus(tmp_path / "corpus", *small_expression())
    for moment, number in [("step", 10), ("half", 1), ("step", 1), ("rename", 2), ("step", 30)]:
        assert start(tmp_path, moment, number)[0] == -signal.SIGKILL
    assert "resuming after step 40" in finish(tmp_path, unbroken)


def test_killed_after_the_last_step_nothing_is_trained_again(tmp_path, unbroken):
    write_corpus(tmp_path / "corpus", *small_expression())
    assert start(tmp_path)[0] == 0
    (tmp_path / "model.safetensors").unlink()
    assert "resuming after step 60" in finish(tmp_path, unbroken)


def test_parts_may_be_smaller_after_a_kill(tmp_path, unbroken):
    """Out of memory: the batch is cut, and the run goes on; sums in another order differ by rounding."""
    write_corpus(tmp_path / "corpus", *small_expression())
    start(tmp_path, "step", 30)
    status, log = start(tmp_path, "never", 0, {"samples_at_once": 5})
    assert status == 0
    assert "resuming after step 24" in log
    losses = [entry["validation_loss"] for entry in json.loads((tmp_path / "history.json").read_text())]
    assert losses == pytest.approx([entry["validation_loss"] for entry in unbroken[1]], rel=1e-4)


def test_run_with_other_settings_starts_anew(tmp_path, unbroken):
    write_corpus(tmp_path / "corpus", *small_expression())
    start(tmp_path, "step", 30, {"learning_rate": 0.002})
    log = finish(tmp_path, unbroken)
    assert "is of other settings, data or code: training starts anew" in log


def test_checkpoint_holds_no_code_and_comes_back_equal(tmp_path):
    checkpoint = Checkpoint(tmp_path / "checkpoint", fingerprint(a=1))
    assert checkpoint.load() is None
    tensors = {"weights": torch.randn(3, 4), "scalar": torch.tensor(2.0), "half": torch.ones(2).bfloat16()}
    scalars = {"step": 3, "recent": [0.1, float("nan")]}
    checkpoint.save(tensors, scalars)
    found, read = checkpoint.load()
    assert set(found) == set(tensors)
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)
    assert str(read) == str(scalars)
    header = (tmp_path / "checkpoint" / NAME).read_bytes()
    json.loads(header[8 : 8 + int.from_bytes(header[:8], "little")])  # safetensors: length, JSON, tensors


def test_unreadable_checkpoint_is_said_and_ignored(tmp_path, caplog):
    checkpoint = Checkpoint(tmp_path, "a")
    (tmp_path / NAME).write_bytes(b"")
    with caplog.at_level(logging.WARNING):
        assert checkpoint.load() is None
    assert "cannot be read" in caplog.text


def test_deleting_takes_what_is_half_written_too(tmp_path):
    checkpoint = Checkpoint(tmp_path / "checkpoint", "a")
    checkpoint.delete()
    checkpoint.save({}, {})
    (tmp_path / "checkpoint" / f".{NAME}.x.tmp").touch()
    checkpoint.delete()
    assert not (tmp_path / "checkpoint").exists()

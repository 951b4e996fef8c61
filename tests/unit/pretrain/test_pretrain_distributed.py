"""Several processes that train together. Oracle: one process at the same global batch."""

import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import safetensors.torch
import scarceseq
import shared_run
import torch
from scarceseq.errors import InputError
from scarceseq.pretrain.distributed import join_group
from scarceseq.pretrain.worker import torchrun_arguments
from small_corpus import small_expression, small_settings, write_corpus

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["shared_run", "pandas", "pyarrow.parquet", "torch._dynamo"])
# an entry of the history for each step; three parts to a batch of 15, over borders of processes and passes
SETTINGS = {"validate_every_steps": 1, "batch_samples": 15, "samples_at_once": 4, "steps": 40}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run_together(folder, size, settings):
    port = free_port()
    processes = [
        PROCESSES.Process(target=shared_run.main, args=(str(folder), rank, size, port, settings))
        for rank in range(size)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * size, (folder / "log0").read_text()


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Folder with what one, two and three processes saw and learned."""
    folder = tmp_path_factory.mktemp("runs")
    write_corpus(folder / "corpus", *small_expression())
    for size in (1, 2, 3):
        run_together(folder, size, SETTINGS)
    return folder


def noted(folder, size, name):
    return [np.load(folder / f"{rank}-of-{size}" / f"{name}.npy") for rank in range(size)]


def by_place(folder, size, name):
    """What all processes noted, in the order of one process: steps, and places in the batch."""
    places = noted(folder, size, "places")
    steps = [np.cumsum(np.diff(own, prepend=own[:1]) < 0) for own in places]
    order = np.lexsort((np.concatenate(places), np.concatenate(steps)))
    return np.concatenate(noted(folder, size, name))[order]


@pytest.mark.parametrize("size", [2, 3])
def test_processes_see_disjoint_samples_that_are_those_of_one_process(runs, size):
    assert np.array_equal(by_place(runs, size, "samples"), by_place(runs, 1, "samples"))
    shares = [len(own) for own in noted(runs, size, "samples")]
    assert sum(shares) == 15 * 40
    assert max(shares) - min(shares) <= 40


@pytest.mark.parametrize("size", [1, 2, 3])
def test_each_sample_comes_once_per_pass_over_all_processes(runs, size):
    rows = by_place(runs, size, "samples")
    for start in range(0, len(rows), 60):
        assert sorted(rows[start : start + 60]) == list(range(60))


@pytest.mark.parametrize("size", [2, 3])
def test_masks_are_those_of_one_process(runs, size):
    assert np.array_equal(by_place(runs, size, "masks"), by_place(runs, 1, "masks"))


@pytest.mark.parametrize("size", [2, 3])
def test_losses_of_the_first_steps_are_those_of_one_process(runs, size):
    one, several = (json.loads((runs / f"0-of-{count}" / "history.json").read_text()) for count in (1, size))
    for expected, found in zip(one[:20], several[:20], strict=True):
        assert found == pytest.approx(expected, rel=1e-4)
    assert several[-1] == pytest.approx(one[-1], rel=1e-2)


@pytest.mark.parametrize("size", [2, 3])
def test_weights_are_the_same_in_all_processes_and_close_to_those_of_one(runs, size):
    one = safetensors.torch.load_file(runs / "0-of-1" / "model.safetensors")
    models = [safetensors.torch.load_file(runs / f"{rank}-of-{size}" / "model.safetensors") for rank in range(size)]
    for name, expected in one.items():
        assert all(torch.equal(models[0][name], model[name]) for model in models)
        torch.testing.assert_close(models[0][name], expected, rtol=1e-2, atol=2e-3)


def test_the_first_process_alone_evaluates(runs):
    found = [json.loads((runs / f"{rank}-of-2" / "evaluation.json").read_text()) for rank in range(2)]
    assert found[0]
    assert found[1] == []


def finish(job):
    """Run a job to its end."""
    process = launched(job)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output


@pytest.fixture
def job(tmp_path):
    """A job as the rule's script makes it."""
    write_corpus(tmp_path / "corpus", *small_expression())
    inputs = {name.split(".")[0]: str(tmp_path / "corpus" / name) for name in shared_run.CORPUS}
    names = {"model": "model.safetensors", "information": "model.json", "history": "history.parquet"}
    names |= {"evaluation": "evaluation.tsv"}
    settings = small_settings().as_dictionary() | {"steps": 400, "checkpoint_every_steps": 25}
    return {
        "input": inputs | {"attributes": None},
        "output": {name: str(tmp_path / "base" / file) for name, file in names.items()},
        "settings": settings,
        "seed": 9,
        "device": "cpu",
        "code": "a",
        "threads": 1,
        "log": str(tmp_path / "log"),
    }


LAUNCH = """
import json, sys
from scarceseq import runtime
from scarceseq.pretrain import worker
job = json.loads(sys.argv[1])
runtime.start(job["log"])
worker.launch(job, 2)
"""


def launched(job):
    """The rule's script, under way."""
    environment = os.environ | {"PYTHONPATH": str(Path(scarceseq.__file__).parents[1]), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", LAUNCH, json.dumps(job)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def wait_for(condition, process, seconds=90):
    """Wait until a condition holds; the process must not end before."""
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.005)


def workers(process):
    """Processes that train."""
    children = psutil.Process(process.pid).children(recursive=True)
    return [child for child in children if "scarceseq.pretrain.worker" in " ".join(child.cmdline())]


def test_killed_under_torchrun_the_job_fails_and_resumes_to_the_same_weights(job, tmp_path):
    model, checkpoint = Path(job["output"]["model"]), tmp_path / "base" / "checkpoint" / "state.safetensors"
    for victim in ("worker", "script"):
        before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else None
        process = launched(job)
        wait_for(lambda old=before: checkpoint.exists() and checkpoint.stat().st_mtime_ns != old, process)
        trained = workers(process)
        assert len(trained) == 2
        os.kill(process.pid if victim == "script" else trained[-1].pid, signal.SIGKILL)
        process.communicate(timeout=60)
        assert process.returncode != 0
        assert psutil.wait_procs(trained, timeout=20)[1] == [], "nobody trains on unseen"
        assert checkpoint.exists()
        assert not model.exists()
    finish(job)
    assert "resuming after step" in Path(job["log"]).read_text()
    assert not checkpoint.exists()
    run_together(tmp_path, 2, {"steps": job["settings"]["steps"]})
    assert model.read_bytes() == (tmp_path / "0-of-2/model.safetensors").read_bytes()
    written = {path.name for path in (tmp_path / "base").glob("[!.]*")} - {"events"}
    assert written == {Path(path).name for path in job["output"].values()}


def test_more_processes_than_devices_are_refused(monkeypatch):
    for name, value in {"TORCHELASTIC_RUN_ID": "a", "LOCAL_RANK": "2", "LOCAL_WORLD_SIZE": "3"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with (
        pytest.raises(InputError, match="3 processes on a machine with 2 CUDA devices"),
        join_group(torch.device("cuda")),
    ):
        pass


def test_several_machines_meet_at_this_one():
    arguments = torchrun_arguments("job.json", 8, 3)
    assert "--nnodes=3" in arguments
    assert "--nproc-per-node=8" in arguments
    assert f"--rdzv-endpoint={socket.gethostname()}:29400" in arguments
    assert arguments[-3:] == ["-m", "scarceseq.pretrain.worker", "job.json"]

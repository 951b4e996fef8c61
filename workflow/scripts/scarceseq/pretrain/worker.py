"""Pre-training as the rule runs it: in its own process, or in several that torchrun starts.

``python -m torch.distributed.run ... -m scarceseq.pretrain.worker JOB.json`` is one of several; JOB.json is what
`launch` writes.
"""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

from scarceseq import device, files, runtime
from scarceseq.pretrain.distributed import join_group
from scarceseq.pretrain.events import Events
from scarceseq.pretrain.model import save_base
from scarceseq.pretrain.run import checkpoint_of, pretrain
from scarceseq.pretrain.samples import read_matrix
from scarceseq.pretrain.settings import PretrainSettings

EVALUATION_COLUMNS = ["split_role", "study", "metric", "predictor", "value", "samples"]
PORT = 29400


def launch(job: dict[str, Any], processes: int = 1, nodes: int = 1) -> None:
    """Run a job in so many processes on each of so many machines, those of a SLURM job, and wait for it.

    `job` is what JSON can hold: ``input`` and ``output`` (the rule's paths by name), ``settings``, ``seed``,
    ``device``, ``code`` (its hash), ``threads`` (of each process), ``log``. Raises ChildFailedError of torch, or
    subprocess.CalledProcessError, if one of several processes fails; the others are ended. The checkpoint stays.
    """
    if processes * nodes == 1:
        work(job)
        return
    path = Path(job["output"]["model"]).with_name("job.json")
    files.write_json(job, path)
    arguments = torchrun_arguments(path, processes, nodes)
    if nodes == 1:
        import torch.distributed.run

        torch.distributed.run.main(arguments)
    else:
        each = ["srun", f"--nodes={nodes}", f"--ntasks={nodes}", "--ntasks-per-node=1"]
        subprocess.run([*each, sys.executable, "-m", "torch.distributed.run", *arguments], check=True)
    path.unlink()


def torchrun_arguments(job_path: str | Path, processes: int, nodes: int) -> list[str]:
    """Command line of torchrun; machines meet at a port of this one."""
    meeting = ["--standalone"]
    if nodes > 1:
        meeting = ["--rdzv-backend=c10d", "--rdzv-id=pretrain", f"--rdzv-endpoint={socket.gethostname()}:{PORT}"]
    shape = [f"--nnodes={nodes}", f"--nproc-per-node={processes}", "--max-restarts=0"]
    return [*shape, *meeting, "-m", "scarceseq.pretrain.worker", str(job_path)]


def work(job: dict[str, Any]) -> None:
    """Train, evaluate, and write the outputs; of several processes only the first writes."""
    settings, seed, source, output = PretrainSettings(**job["settings"]), job["seed"], job["input"], job["output"]
    runtime.keep_freed_memory()
    torch.set_num_threads(job["threads"])
    if settings.deterministic:
        repeat_exactly()
    with join_group(device.choose(job["device"])) as (group, chosen):
        training, samples, genes, splits = (source[name] for name in ("training", "samples", "genes", "splits"))
        matrix = read_matrix(
            training, samples, genes, splits, settings.split, source["attributes"], settings.attribute_keys
        )
        folder = Path(output["model"]).parent
        checkpoint = checkpoint_of(folder / "checkpoint", matrix, settings, seed, chosen, job["code"])
        events = Events(folder / "events")
        base, history, evaluation = pretrain(matrix, settings, seed, chosen, checkpoint, events, group)
        if group.is_first:
            import pandas as pd

            files.write_table(pd.DataFrame(history), output["history"])
            files.write_table(pd.DataFrame(evaluation, columns=EVALUATION_COLUMNS), output["evaluation"])
            save_base(base, output["model"], output["information"])
            # What it holds is in the model by now, in a third of the size.
            checkpoint.delete()


def repeat_exactly() -> None:
    """Let torch use only algorithms that give the same bits each time; it raises where there is none."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def _end_with_parent() -> None:
    """Let the kernel kill this process when the one that started it dies, so that none trains on unseen."""
    set_death_signal = 1  # linux/prctl.h
    with contextlib.suppress(AttributeError):  # not Linux
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)


def main(job_path: str | Path) -> None:
    """One of several processes."""
    _end_with_parent()
    job = files.read_json(job_path)
    runtime.start(job["log"], append=True)
    work(job)


if __name__ == "__main__":
    main(sys.argv[1])

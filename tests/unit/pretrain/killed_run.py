"""A run of pre-training on the small corpus that kills its own process."""

import dataclasses
import json
import logging
import os
import signal
from pathlib import Path

import safetensors.torch
import torch
from scarceseq.pretrain.model import save_base
from scarceseq.pretrain.run import checkpoint_of, pretrain
from scarceseq.pretrain.samples import read_matrix
from small_corpus import small_settings

CPU = torch.device("cpu")


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def kill_before(owner, name, number, act=lambda *arguments: None):
    """Let the process die when `owner.name` is called for the `number`-th time, after `act` on its arguments."""
    original, calls = getattr(owner, name), [0]

    def call(*arguments, **named):
        calls[0] += 1
        if calls[0] == number:
            act(*arguments)
            kill()
        return original(*arguments, **named)

    setattr(owner, name, call)


def half_write(tensors, path, metadata):
    content = safetensors.torch.save(tensors, metadata)
    with open(path, "wb") as handle:
        handle.write(content[: len(content) // 2])
        handle.flush()
        os.fsync(handle.fileno())


def main(folder, moment="never", number=0, settings=None):
    """Train on FOLDER/corpus and write FOLDER/model.safetensors, unless killed before.

    Parameters
    ----------
    folder : str
    moment : {'never', 'step', 'checkpoint', 'half', 'rename'}
        Killed before a step of the optimiser, before a checkpoint is written, when half of it is, or before it gets
        its name; `number` counts these in this process.
    settings : dict, optional
        Instead of those of the small corpus.
    """
    logging.basicConfig(level=logging.INFO, filename=Path(folder, "log"), filemode="w", force=True)
    torch.set_num_threads(1)
    folder = Path(folder)
    if moment == "step":
        kill_before(torch.optim.AdamW, "step", number)
    elif moment == "checkpoint":
        kill_before(safetensors.torch, "save_file", number)
    elif moment == "half":
        kill_before(safetensors.torch, "save_file", number, half_write)
    elif moment == "rename":
        kill_before(os, "replace", number)
    settings = dataclasses.replace(small_settings(), **(settings or {}))
    corpus = [folder / "corpus" / name for name in ("training.npy", "samples.parquet", "genes.parquet", "splits.tsv")]
    matrix = read_matrix(*corpus, "default")
    checkpoint = checkpoint_of(folder / "checkpoint", matrix, settings, 9, CPU, "code")
    base, history, _ = pretrain(matrix, settings, 9, CPU, checkpoint)
    save_base(base, folder / "model.safetensors", folder / "model.json")
    (folder / "history.json").write_text(json.dumps(history))

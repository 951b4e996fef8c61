"""One of several processes that pre-train together on the small corpus, and note what they are given."""

import dataclasses
import json
import logging
import os
from pathlib import Path

import numpy as np
import torch
from scarceseq.pretrain import batches, training
from scarceseq.pretrain.distributed import join_group
from scarceseq.pretrain.model import save_base
from scarceseq.pretrain.run import pretrain
from scarceseq.pretrain.samples import read_matrix
from small_corpus import small_settings

CORPUS = ("training.npy", "samples.parquet", "genes.parquet", "splits.tsv")


def main(folder, rank, size, port, settings):
    """Train on FOLDER/corpus; write FOLDER/RANK-of-SIZE with samples and masks, and of the first process the model."""
    logging.basicConfig(level=logging.INFO, filename=Path(folder, f"log{rank}"), filemode="w", force=True)
    torch.set_num_threads(1)
    if size > 1:
        environment = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "LOCAL_WORLD_SIZE": size}
        environment |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "TORCHELASTIC_RUN_ID": "test"}
        os.environ.update({name: str(value) for name, value in environment.items()})
    seen = []

    def note(samples, expression, part, settings, seed):
        batch = batches.make_batch(samples, expression, part, settings, seed)
        seen.append((np.array(part), samples, batch.mask.numpy()))
        return batch

    training.make_batch = note
    settings = dataclasses.replace(small_settings(), **settings)
    folder = Path(folder)
    matrix = read_matrix(*[folder / "corpus" / name for name in CORPUS], "default")
    with join_group(torch.device("cpu")) as (group, device):
        base, history, evaluation = pretrain(matrix, settings, 9, device, group=group)
    target = folder / f"{rank}-of-{size}"
    target.mkdir()
    for number, name in enumerate(("places", "samples", "masks")):
        np.save(target / f"{name}.npy", np.concatenate([entry[number] for entry in seen]))
    save_base(base, target / "model.safetensors", target / "model.json")
    (target / "history.json").write_text(json.dumps(history))
    (target / "evaluation.json").write_text(json.dumps(evaluation))

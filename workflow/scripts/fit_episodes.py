"""Fit one method to the episodes of a task: tuned on validation studies, predictions for test studies."""

import numpy as np
import torch
from safetensors.torch import load_file
from scarceseq import device, registry
from scarceseq.fewshot.cell import fit_cells
from scarceseq.fewshot.corpus import Corpus
from scarceseq.fewshot.settings import FittingSettings
from scarceseq.files import read_table, write_table
from scarceseq.pretrain.model import load_base
from scarceseq.runtime import keep_freed_memory, start

start(snakemake.log[0])
keep_freed_memory()
torch.set_num_threads(snakemake.threads)
inputs = snakemake.input
chosen = device.choose(snakemake.params.device)
base = load_base(inputs.model, inputs.information, chosen)
guide = inputs.get("guide")
predictions = fit_cells(
    episodes=read_table(inputs.episodes),
    corpus=Corpus(
        expression=np.load(inputs.training, mmap_mode="r"),
        samples=read_table(inputs.samples),
        gene_ids=read_table(inputs.genes)["gene_id"].tolist(),
        base=base,
    ),
    splits=read_table(inputs.splits),
    base=base,
    method=registry.load("fewshot.methods", snakemake.wildcards.method).METHOD,
    guide=load_file(guide, device=str(chosen)) if guide else None,
    settings=FittingSettings(**snakemake.params.fitting),
    seed=snakemake.params.seed,
)
write_table(predictions, snakemake.output[0])

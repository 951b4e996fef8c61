"""Train one block of scouts and sum up how far each weight moved."""

import torch
from scarceseq import device, files, runtime, seeds
from scarceseq.guide.block_samples import samples_of_block
from scarceseq.guide.scouts import train_block
from scarceseq.guide.settings import SchemeSettings
from scarceseq.pretrain.model import load_base
from scarceseq.pretrain.samples import read_matrix

runtime.start(snakemake.log[0])
runtime.keep_freed_memory()
torch.set_num_threads(snakemake.threads)

source = snakemake.input
settings = SchemeSettings(**snakemake.params.settings)
base = load_base(source.model, source.information, device.choose(snakemake.params.device))
matrix = read_matrix(source.training, source.samples, source.genes, source.splits, base.information["split"])
plan = files.read_table(source.scouts)
tasks = samples_of_block(plan, snakemake.wildcards.block, settings.scouts_per_block, matrix, base)
seed = seeds.derive(snakemake.params.seed, "scouts", settings.scheme, base.information["seed"])
displacement, outcomes = train_block(base.network, tasks, settings, seed)
displacement.save(snakemake.output.displacement)
files.write_json({"scouts": outcomes}, snakemake.output.outcomes)

"""Learn a start or rates from the scouts' tasks: what meta-learning makes of the same studies as the guide."""

import torch
from safetensors.torch import save_file
from scarceseq import device, files, registry, runtime, seeds
from scarceseq.guide.block_samples import samples_of_block
from scarceseq.guide.inner import check_learned
from scarceseq.guide.settings import MetaSettings
from scarceseq.pretrain.model import load_base
from scarceseq.pretrain.samples import read_matrix

runtime.start(snakemake.log[0])
runtime.keep_freed_memory()
torch.set_num_threads(snakemake.threads)

source, name = snakemake.input, snakemake.wildcards.learner
settings = MetaSettings(**snakemake.params.settings)
base = load_base(source.model, source.information, device.choose(snakemake.params.device))
matrix = read_matrix(source.training, source.samples, source.genes, source.splits, base.information["split"])
plan = files.read_table(source.scouts)
tasks = list(samples_of_block(plan, "block_0", settings.tasks, matrix, base))
seed = seeds.derive(snakemake.params.seed, "meta", name, base.information["seed"])
learned = registry.load("guide.meta", name).learn(base.network, tasks, settings, seed)
check_learned(learned, name, settings)
with files.atomic(snakemake.output[0], sealed=True) as path:
    save_file({key: tensor.detach().cpu().contiguous() for key, tensor in learned.items()}, path)

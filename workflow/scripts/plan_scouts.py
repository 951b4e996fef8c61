"""Choose the small tasks that the scouts of one scheme learn."""

import torch
from scarceseq import device, files, runtime
from scarceseq.guide.plan import plan_scouts
from scarceseq.guide.settings import SchemeSettings
from scarceseq.pretrain.model import load_base
from scarceseq.pretrain.samples import read_matrix

runtime.start(snakemake.log[0])
runtime.keep_freed_memory()
torch.set_num_threads(snakemake.threads)

source = snakemake.input
base = load_base(source.model, source.information, device.choose(snakemake.params.device))
matrix = read_matrix(source.training, source.samples, source.genes, source.splits, base.information["split"])
plan = plan_scouts(
    matrix,
    files.read_table(source.attributes),
    base,
    SchemeSettings(**snakemake.params.settings),
    snakemake.params.seed,
)
files.write_table(plan, snakemake.output.scouts)

"""Pre-train one base model and compare it with PCA and the gene's mean on held-out studies."""

import pandas as pd
import torch
from scarceseq import device, files, runtime
from scarceseq.pretrain.model import save_base
from scarceseq.pretrain.run import pretrain
from scarceseq.pretrain.samples import read_matrix
from scarceseq.pretrain.settings import PretrainSettings

runtime.start(snakemake.log[0])
runtime.keep_freed_memory()
torch.set_num_threads(snakemake.threads)

settings = PretrainSettings(**snakemake.params.settings)
source = snakemake.input
matrix = read_matrix(source.training, source.samples, source.genes, source.splits, settings.split)
base, history, evaluation = pretrain(matrix, settings, snakemake.params.seed, device.choose(snakemake.params.device))
columns = ["split_role", "study", "predictor", "masked_mse", "samples"]
files.write_table(pd.DataFrame(history), snakemake.output.history)
files.write_table(pd.DataFrame(evaluation, columns=columns), snakemake.output.evaluation)
save_base(base, snakemake.output.model, snakemake.output.information)

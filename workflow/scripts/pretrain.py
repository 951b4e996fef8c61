"""Pre-train one base model and score it on held-out studies beside simple predictors."""

from pathlib import Path

import pandas as pd
import torch
from scarceseq import device, files, runtime
from scarceseq.pretrain.model import save_base
from scarceseq.pretrain.run import checkpoint_of, pretrain
from scarceseq.pretrain.samples import read_matrix
from scarceseq.pretrain.settings import PretrainSettings

runtime.start(snakemake.log[0])
runtime.keep_freed_memory()
torch.set_num_threads(snakemake.threads)

settings, seed = PretrainSettings(**snakemake.params.settings), snakemake.params.seed
chosen = device.choose(snakemake.params.device)
source = snakemake.input
corpus = (source.training, source.samples, source.genes, source.splits)
matrix = read_matrix(*corpus, settings.split, source.attributes, settings.attribute_keys)
folder = Path(snakemake.output.model).parent / "checkpoint"
checkpoint = checkpoint_of(folder, matrix, settings, seed, chosen, snakemake.params.code)
base, history, evaluation = pretrain(matrix, settings, seed, chosen, checkpoint)
columns = ["split_role", "study", "metric", "predictor", "value", "samples"]
files.write_table(pd.DataFrame(history), snakemake.output.history)
files.write_table(pd.DataFrame(evaluation, columns=columns), snakemake.output.evaluation)
save_base(base, snakemake.output.model, snakemake.output.information)
checkpoint.delete()

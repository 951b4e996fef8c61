"""The genes that the first method's decision on a user's own study rests on, beside those that differ by counts."""

import numpy as np
import torch
from safetensors.torch import load_file
from scarceseq import device
from scarceseq.errors import InputError
from scarceseq.fewshot.cell import make_predictor
from scarceseq.fewshot.compose import compose
from scarceseq.fewshot.method import Candidate, FineTuning
from scarceseq.fewshot.settings import FittingSettings
from scarceseq.files import read_table, write_json, write_table
from scarceseq.own_study.gene_list import explain, gene_table
from scarceseq.own_study.settings import FoldSettings
from scarceseq.own_study.study import own_corpus
from scarceseq.pretrain.model import load_base
from scarceseq.runtime import start
from scarceseq.seals import checked

start(snakemake.log[0])
torch.set_num_threads(snakemake.threads)
source, output, params = snakemake.input, snakemake.output, snakemake.params
base = load_base(source.model, source.information, device.choose("cpu"))
samples, expression = read_table(source.samples), np.load(checked(source.expression))
corpus, splits = own_corpus(expression, samples, base, load_file(checked(source.components)))
((name, inputs),) = params.method.items()
method = compose(name)
if not isinstance(method, FineTuning):
    raise InputError(f"config key own_study.methods: the first one, {name}, is not trained by gradient")
fitting = FittingSettings(**params.fitting, candidates=[])
learned = load_file(checked(inputs["learned"])) if inputs["learned"] else None
candidates = [Candidate(*pair) for pair in inputs["candidates"]]
predict = make_predictor(method, learned, candidates, corpus, splits, base, fitting, params.seed)
predictions = read_table(source.predictions)
chosen = predictions[predictions["method"] == name].drop_duplicates(["repeat", "fold"])
folds = FoldSettings(**params.folds)
*measures, checked_sums = explain(samples, corpus, predict, chosen, folds, params.options, params.seed)
genes, differential = read_table(source.genes), read_table(source.differential)
reference, named = (base.mean.numpy(), base.scale.numpy()), params.options["named_genes"]
table, summary = gene_table(tuple(measures), genes, expression, samples["label"], reference, differential, named)
write_table(table, output.genes)
write_json(summary | checked_sums | {"method": name}, output.summary)

"""Cross-validate few-shot methods on a user's own study beside the best classifier, and say what can be told."""

import logging

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file
from scarceseq import device
from scarceseq.files import read_json, read_table, write_json, write_table
from scarceseq.own_study import verdict as own_verdict
from scarceseq.own_study.cross_validation import own_predictors, repeated
from scarceseq.own_study.settings import FoldSettings
from scarceseq.own_study.study import own_corpus
from scarceseq.own_study.unfinished import Unfinished
from scarceseq.pretrain.model import load_base
from scarceseq.runtime import keep_freed_memory, start
from scarceseq.seals import checked

start(snakemake.log[0])
logging.getLogger("scarceseq.fewshot.cell").setLevel(logging.ERROR)  # a line for each fold would be thousands
keep_freed_memory()
source, output, params = snakemake.input, snakemake.output, snakemake.params
samples, best = read_table(source.samples), read_table(source.best)
folds = FoldSettings(**params.folds)
tables = [best]
unfinished = None
if params.methods:
    torch.set_num_threads(snakemake.threads)
    base = load_base(source.model, source.information, device.choose(params.device))
    components = load_file(checked(source.components))
    expression = np.load(checked(source.expression))
    corpus, splits = own_corpus(expression, samples, base, components)
    predictors = own_predictors(params.methods, corpus, splits, base, params.fitting, params.seed)
    unfinished = Unfinished.of(f"{output.predictions}.unfinished.json", source, params)
    predictions = repeated(samples, corpus, predictors, folds, params.seed, unfinished)
    tables = [best[~best["method"].isin(predictions["method"].unique())], predictions]
predictions = pd.concat(tables, ignore_index=True)
notes, summary = read_table(source.notes), read_json(source.best_summary)
warnings = [f"{text}." for text in notes.loc[notes["kind"] == "confounded", "text"]]
report = own_verdict.report(
    predictions, read_table(source.permutations), summary, samples, folds, params.telling, warnings
)
write_table(predictions, output.predictions)
for name in ("scores", "contrasts"):
    write_table(report[name], output[name])
write_json(report["summary"], output.summary)
if unfinished:
    unfinished.delete()

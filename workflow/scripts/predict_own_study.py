"""Cross-validate few-shot methods on a user's own study, compare with permuted labels, and say what can be told."""

import logging

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file
from scarceseq import device
from scarceseq.fewshot.cell import make_predictor
from scarceseq.fewshot.compose import compose
from scarceseq.fewshot.method import Candidate
from scarceseq.fewshot.settings import FittingSettings
from scarceseq.files import read_table, write_json, write_table
from scarceseq.own_study import verdict as own_verdict
from scarceseq.own_study.cross_validation import check_method, cross_validate, permuted_accuracies
from scarceseq.own_study.folds import arrangements
from scarceseq.own_study.settings import FoldSettings
from scarceseq.own_study.study import own_corpus
from scarceseq.pretrain.model import load_base
from scarceseq.progress import follow
from scarceseq.runtime import keep_freed_memory, start
from scarceseq.seals import checked

start(snakemake.log[0])
logging.getLogger("scarceseq.fewshot.cell").setLevel(logging.ERROR)  # a line for each fold would be thousands
keep_freed_memory()
torch.set_num_threads(snakemake.threads)
source, output, params = snakemake.input, snakemake.output, snakemake.params
base = load_base(source.model, source.information, device.choose(params.device))
samples = read_table(source.samples)
corpus, splits = own_corpus(np.load(checked(source.expression)), samples, base, load_file(checked(source.components)))
fitting = FittingSettings(**params.fitting, candidates=[])
predictors = {}
for name, inputs in params.methods.items():
    method = compose(name)
    check_method(name, method)
    learned = load_file(checked(inputs["learned"])) if inputs["learned"] else None
    candidates = [Candidate(*pair) for pair in inputs["candidates"]]
    made = make_predictor(method, learned, candidates, corpus, splits, base, fitting, params.seed)
    predictors[name] = made, candidates

folds = FoldSettings(**params.folds)
repeats = 1 if samples["held_out"].any() else folds.repeats
runs = [
    cross_validate(samples, corpus, predictors, folds, repeat, params.seed)
    for repeat in follow(range(repeats), "repeats of the cross-validation")
]
predictions = pd.concat(runs, ignore_index=True)
tested = {name: predictors[name] for name in params.tested_methods}
permuted = permuted_accuracies(samples, corpus, tested, folds, params.permutations, params.seed)
notes = read_table(source.notes)
warnings = [f"{text}." for text in notes.loc[notes["kind"] == "confounded", "text"]]
report = own_verdict.report(predictions, permuted, samples, arrangements(samples), folds, params.telling, warnings)
write_table(predictions, output.predictions)
for name in ("scores", "contrasts", "permutations"):
    write_table(report[name], output[name])
write_json(report["summary"], output.summary)

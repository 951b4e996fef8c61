"""Compare the frozen embedding of a base model with simpler features by linear classifiers of held-out studies."""

import torch
from scarceseq import device, files, runtime
from scarceseq.pretrain.comparison.classification import score_representations
from scarceseq.pretrain.comparison.contrasts import contrast, not_compared, verdict
from scarceseq.pretrain.model import load_base
from scarceseq.pretrain.samples import read_matrix
from scarceseq.pretrain.settings import ComparisonSettings, ComparisonTask

runtime.start(snakemake.log[0])
runtime.keep_freed_memory()
torch.set_num_threads(snakemake.threads)

source, params = snakemake.input, snakemake.params
task, settings = ComparisonTask(**params.task), ComparisonSettings(**params.settings)
chosen = device.choose(params.device)
loaded = [load_base(*paths, chosen) for paths in zip(source.models, source.information, strict=True)]
bases = {base.information["settings"]["seed"]: base for base in loaded}
corpus = (source.training, source.samples, source.genes, source.splits)
keys = [key for key in (task.label, task.group) if key]
matrix = read_matrix(*corpus, task.split, source.attributes, keys)

scores, remark = score_representations(matrix, bases, task, settings, params.seed)
files.write_table(scores, snakemake.output.scores)
base = snakemake.wildcards.base
if scores.empty:
    verdicts = {"contrasts": [], "verdict": not_compared(base, task.label, remark)}
else:
    contrasts = contrast(scores, task.protocol, settings.confidence)
    trained = set(loaded[0].information["training_studies"])
    samples = int(sum(study in trained for study in matrix.studies))
    labelled = task.label in loaded[0].information["settings"]["objectives"].get("labels", {}).get("keys", [])
    description = (base, task.label, samples, labelled, settings.smallest_difference, remark)
    verdicts = {"contrasts": contrasts, "verdict": verdict(contrasts, *description)}
files.write_json(verdicts, snakemake.output.contrasts)

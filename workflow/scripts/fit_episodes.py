"""Fit some methods to the episodes of a cell: tuned on validation studies, predictions for test studies."""

import torch
from safetensors.torch import load_file
from scarceseq import device
from scarceseq.fewshot.cell import fit_cell
from scarceseq.fewshot.compose import compose
from scarceseq.fewshot.corpus import Corpus
from scarceseq.fewshot.labels import label_of_samples
from scarceseq.fewshot.method import Candidate
from scarceseq.fewshot.settings import FittingSettings
from scarceseq.files import read_table, write_table
from scarceseq.pretrain.model import load_base
from scarceseq.runtime import keep_freed_memory, start
from scarceseq.seals import checked, load_rows

start(snakemake.log[0])
keep_freed_memory()
torch.set_num_threads(snakemake.threads)
source, params = snakemake.input, snakemake.params
chosen = device.choose(params.device)
base = load_base(source.model, source.information, chosen)
learned = {path: load_file(checked(path), device=str(chosen)) for path in source.get("learned", [])}
methods = {
    name: (compose(name), learned.get(inputs["learned"]), [Candidate(*pair) for pair in inputs["candidates"]])
    for name, inputs in params.methods.items()
}
predictions, curves = fit_cell(
    episodes=read_table(source.episodes),
    corpus=Corpus(
        expression=load_rows(source.training),
        samples=read_table(source.samples),
        gene_ids=read_table(source.genes)["gene_id"].tolist(),
        base=base,
        centring=params.centring,
        labels=label_of_samples(read_table(source.attributes), params.label),
    ),
    splits=read_table(source.splits),
    base=base,
    methods=methods,
    settings=FittingSettings(**params.fitting, candidates=[]),
    seed=params.seed,
)
write_table(predictions, snakemake.output.predictions)
write_table(curves, snakemake.output.curves)

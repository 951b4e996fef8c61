"""Predict what perturbing further genes would do, from a screen and what is known of the genes."""

import anndata
from scarceseq.design.names import read_names
from scarceseq.files import atomic, read_table, write_json, write_table
from scarceseq.network.graph import read_graph
from scarceseq.prediction.predict import predict_screen
from scarceseq.prediction.settings import PredictionSettings
from scarceseq.report.gene_pages import pages_head, write_pages
from scarceseq.report.page import whole_folder
from scarceseq.runtime import start
from scarceseq.seals import checked

start(snakemake.log[0])
source, output = snakemake.input, snakemake.output
sources = [read_graph(path) for path in source.get("kernel_graphs", [])]
sources += [read_table(path).set_index("gene") for path in source.get("kernel_embeddings", [])]
made = predict_screen(
    anndata.read_h5ad(checked(source.pseudobulk)),
    sources,
    read_names(source.get("genes")),
    PredictionSettings(**snakemake.params.settings),
    snakemake.params.seed,
)
with atomic(output.profiles, sealed=True) as temporary:
    made.profiles.write_h5ad(temporary)
write_table(made.changed, output.changed)
write_table(made.neighbours, output.neighbours)
write_table(made.choice, output.choice)
write_table(made.accuracy, output.accuracy)
write_json(made.summary, output.summary)
tables = {name: getattr(made, name) for name in ("pages", "neighbours", "changed", "accuracy")}
screen = snakemake.wildcards.screen
head = pages_head(snakemake.params.name, snakemake.params.seed, screen, snakemake.params.settings, made.summary)
with whole_folder(output.pages) as folder:
    write_pages(folder, screen, tables, made.summary, head)

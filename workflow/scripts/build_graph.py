"""Build one gene graph: edges (source, target, weight) and a summary."""

from scarceseq.files import write_json, write_table
from scarceseq.joins import joins_table
from scarceseq.network.build import build_graph, gene_joins
from scarceseq.runtime import start

start(snakemake.log[0])
inputs = dict(snakemake.input.items())
edges, summary = build_graph(snakemake.wildcards.graph, snakemake.params.settings, inputs, snakemake.params.seed)
write_table(edges, snakemake.output.edges)
write_json(summary, snakemake.output.summary)
write_table(joins_table(gene_joins(edges, inputs)), snakemake.output.joins)

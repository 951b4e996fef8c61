"""Build one gene graph: edges (source, target, weight) and a summary."""

from scarceseq.files import write_json, write_table
from scarceseq.network.build import build_graph
from scarceseq.runtime import start

start(snakemake.log[0])
edges, summary = build_graph(snakemake.wildcards.graph, snakemake.params.settings, dict(snakemake.input.items()))
write_table(edges, snakemake.output.edges)
write_json(summary, snakemake.output.summary)

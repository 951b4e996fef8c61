"""Genes that differ between the classes of a user's own study by their counts alone, and its next experiment."""

from scarceseq.files import read_table, write_json, write_table
from scarceseq.gene_sets import read_gene_sets, rows_of_sets
from scarceseq.own_study.differential import differential_genes
from scarceseq.own_study.enrichment import enrichment
from scarceseq.own_study.features import LEAST_SET, MOST_SET
from scarceseq.own_study.next_experiment import differential_power, layout
from scarceseq.runtime import start

start(snakemake.log[0])
output, params = snakemake.output, snakemake.params
counts, samples = read_table(snakemake.input.counts), read_table(snakemake.input.samples)
values = counts[samples["sample"]].to_numpy(float)
table, summary = differential_genes(values, counts["gene_id"], counts["gene_name"], samples)
per_class = params.next_per_class or int(samples["label"].value_counts().min())
write_table(table, output.genes)
write_json(summary, output.summary)
if output.get("enrichment"):
    sets = rows_of_sets(read_gene_sets(snakemake.input.gene_sets), table["gene_name"], LEAST_SET, MOST_SET)
    write_table(enrichment(table, sets, len(summary["classes"])), output.enrichment)
write_table(differential_power(table, summary, samples), output.power)
write_table(layout(summary["classes"], per_class, params.next_batches, params.seed), output.layout)

"""Genes that differ between the classes of a user's own study, by their counts alone."""

from scarceseq.files import read_table, write_json, write_table
from scarceseq.own_study.differential import differential_genes
from scarceseq.runtime import start

start(snakemake.log[0])
counts, samples = read_table(snakemake.input.counts), read_table(snakemake.input.samples)
values = counts[samples["sample"]].to_numpy(float)
table, summary = differential_genes(values, counts["gene_id"], counts["gene_name"], samples)
write_table(table, snakemake.output.genes)
write_json(summary, snakemake.output.summary)

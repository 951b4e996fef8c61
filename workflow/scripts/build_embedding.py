"""Build one gene embedding: a table with a row per gene symbol."""

from scarceseq import registry
from scarceseq.files import write_table
from scarceseq.runtime import start

start(snakemake.log[0])
settings = snakemake.params.settings
embedding = registry.load("network.embeddings", settings["kind"]).build(settings, dict(snakemake.input.items()))
write_table(embedding.reset_index(names="gene"), snakemake.output.embedding)

"""Filter the runs of one batch and sum them into samples: exact coverage sums, samples x genes."""

from pathlib import Path

from scarceseq.archive.manifest import read_manifest
from scarceseq.archive.tables import read_annotation
from scarceseq.corpus.all_metadata import write_metadata
from scarceseq.corpus.settings import RunFilter
from scarceseq.corpus.shard import build_shard
from scarceseq.files import read_table, write_table
from scarceseq.runtime import keep_freed_memory, start

start(snakemake.log[0])
keep_freed_memory()
shard = build_shard(
    read_table(snakemake.input.plan, dtype=str),
    read_manifest(snakemake.input.manifest),
    Path(snakemake.input.manifest).parent,
    read_annotation(snakemake.input.annotation),
    RunFilter(**snakemake.params.runs),
    snakemake.params.dropped_genes,
    snakemake.params.seed,
    snakemake.output.counts,
)
write_table(shard.dropped, snakemake.output.dropped)
write_table(shard.attributes, snakemake.output.attributes)
write_metadata(shard.metadata, snakemake.output.metadata)

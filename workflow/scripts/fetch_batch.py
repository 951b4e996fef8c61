"""Fetch and verify a batch of studies; a missing or damaged file is a line of the manifest, not an error."""

from pathlib import Path

from scarceseq.archive.fetch import fetch_batch
from scarceseq.archive.manifest import write_manifest
from scarceseq.archive.mirrors import DownloadSettings, Mirrors
from scarceseq.archive.plan import planned_studies
from scarceseq.archive.tables import read_annotation
from scarceseq.files import read_table
from scarceseq.runtime import start

start(snakemake.log[0])
mirrors = Mirrors(snakemake.params.mirrors, DownloadSettings(**snakemake.params.download))
entries = fetch_batch(
    mirrors,
    planned_studies(read_table(snakemake.input.plan, dtype=str)),
    snakemake.params.annotation,
    list(read_annotation(snakemake.input.annotation)["gene_id"]),
    Path(snakemake.output.manifest).parent,
)
write_manifest(entries, snakemake.output.manifest)

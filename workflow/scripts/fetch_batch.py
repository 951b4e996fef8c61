"""Fetch and verify a batch of studies; a missing or damaged file is a line of the manifest, not an error."""

from pathlib import Path

from scarceseq.archive.fetch import fetch_batch
from scarceseq.archive.manifest import write_manifest
from scarceseq.archive.mirrors import Mirrors
from scarceseq.archive.plan import planned_studies
from scarceseq.archive.ruled_out import StudyExclusion
from scarceseq.archive.settings import DownloadSettings, MetadataFilter
from scarceseq.archive.tables import read_annotation
from scarceseq.files import read_table
from scarceseq.runtime import keep_freed_memory, start

start(snakemake.log[0])
keep_freed_memory()
params = snakemake.params
entries = fetch_batch(
    Mirrors(params.mirrors, DownloadSettings(**params.download)),
    planned_studies(read_table(snakemake.input.plan, dtype=str)),
    params.annotation,
    list(read_annotation(snakemake.input.annotation)["gene_id"]),
    Path(snakemake.output.manifest).parent,
    StudyExclusion(MetadataFilter(**params.runs), params.excluded_studies, params.title_words),
)
write_manifest(entries, snakemake.output.manifest)

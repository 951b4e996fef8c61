"""Fetch and verify the genes of the annotation: the row order of every gene-sums file, and exonic lengths."""

from scarceseq.archive.fetch import fetch_annotation
from scarceseq.archive.mirrors import Mirrors
from scarceseq.archive.settings import DownloadSettings
from scarceseq.runtime import start

start(snakemake.log[0])
params = snakemake.params
mirrors = Mirrors(params.mirrors, DownloadSettings(**params.download))
fetch_annotation(mirrors, params.organism, params.annotation, snakemake.output.annotation)

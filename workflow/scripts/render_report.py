"""Render the report: one page, with each of its figures as SVG and each of its tables as TSV."""

from pathlib import Path

from scarceseq.report.page import write
from scarceseq.report.sections import build, head
from scarceseq.runtime import commit, start

start(snakemake.log[0])
settings, output = snakemake.params.settings, snakemake.output
named, labels = dict(snakemake.input.items()), snakemake.params.labels
sections = build(named, labels, settings, Path(output.page).parent / "benchmarks")
write(head(settings, commit()), sections, output.page, output.figures, output.tables)

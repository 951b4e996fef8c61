"""Render the report: one page, with each of its figures as SVG and each of its tables as TSV."""

from pathlib import Path

from scarceseq.report.page import build, write
from scarceseq.runtime import commit, start

start(snakemake.log[0])
page = Path(snakemake.output.page)
sections = build(dict(snakemake.input.items()), snakemake.params.settings, page.parent / "benchmarks")
write(
    sections,
    snakemake.params.settings,
    page,
    snakemake.output.figures,
    snakemake.output.tables,
    commit(),
)

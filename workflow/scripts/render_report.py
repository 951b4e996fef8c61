"""Render the report: one page, its figures as SVG and tables as TSV, the methods of the run, and its provenance."""

import shutil
from pathlib import Path

from scarceseq.files import atomic, write_json
from scarceseq.report.crate import SNAKEFILE, crate
from scarceseq.report.methods_text import bibliography, cards_of, methods
from scarceseq.report.page import write
from scarceseq.report.sections import build, head
from scarceseq.runtime import commit, start

start(snakemake.log[0])
settings, output = snakemake.params.settings, snakemake.output
named, labels = dict(snakemake.input.items()), snakemake.params.labels
results = Path(output.page).parent
sections = build(named, labels, settings, results / "benchmarks")
write(head(settings, commit()), sections, output.page, output.figures, output.tables)
with atomic(output.methods) as text, atomic(output.references) as references, atomic(output.front) as front:
    text.write_text(methods(settings, cards_of(sections), commit()), encoding="utf-8")
    references.write_text(bibliography(settings), encoding="utf-8")
    shutil.copyfile(SNAKEFILE, front)
names = [Path(output[name]).name for name in ("page", "methods", "references")]
folders = [f"{Path(output[name]).name}/" for name in ("figures", "tables")]
write_json(crate(settings, results, [*names, *folders], commit()), output.crate)

"""Choose genes to perturb: the order, the curve of coverage, what became of each name, and a page to print."""

from pathlib import Path

from scarceseq.design.design import design
from scarceseq.design.plates import plate_maps
from scarceseq.design.workbook import write_workbook
from scarceseq.files import atomic, read_table, write_json, write_table
from scarceseq.network.graph import read_graph
from scarceseq.report import design as page
from scarceseq.report import style
from scarceseq.report.inputs import Inputs
from scarceseq.report.page import Head, render
from scarceseq.report.sheet import sheet_figure
from scarceseq.runtime import commit, start

start(snakemake.log[0])
params, output = snakemake.params, snakemake.output
sources = [read_graph(path) for path in snakemake.input.graphs]
sources += [read_table(path).set_index("gene") for path in snakemake.input.get("embeddings", [])]
chosen = design(sources, params.settings, params.seed)
write_table(chosen.order, output.order)
write_table(chosen.plates, output.plates)
write_table(chosen.coverage, output.curve)
write_table(chosen.names, output.names)
write_table(chosen.joins, output.joins)
write_table(chosen.guides, output.guides)
write_json(chosen.summary, output.summary)
write_workbook({"order": chosen.order, "plates": chosen.plates} | plate_maps(chosen.plates), output.workbook)
written = {
    f"design_{name}": output[name] for name in ("order", "plates", "curve", "names", "joins", "guides", "summary")
}
section = page.section(Inputs(written))
drawing = style.svg(next(block.figure for block in section.blocks if block.kind == "picture"), "coverage")
printed = {"name": params.name, "seed": params.seed, "design": params.settings}
head = Head(params.name, params.seed, page.asked_for(params.settings), printed, commit(Path(__file__).parent))
with atomic(output.picture) as picture, atomic(output.page) as html:
    picture.write_text(drawing, encoding="utf-8")
    html.write_text(render(head, [section], {"coverage": drawing}, Path(output.order).parent), encoding="utf-8")
with atomic(output.sheet) as paper:
    sheet = sheet_figure(params.name, chosen.order, chosen.plates, chosen.coverage, chosen.summary)
    sheet.savefig(paper, format="pdf", metadata={"CreationDate": None})

"""Choose genes to perturb: the order, the curve of coverage, what became of each name, and a page to print."""

from pathlib import Path

from scarceseq.design.design import design
from scarceseq.files import atomic, write_json, write_table
from scarceseq.network.graph import read_graph
from scarceseq.report import design as page
from scarceseq.report import style
from scarceseq.report.inputs import Inputs
from scarceseq.report.page import render
from scarceseq.report.sheet import sheet_figure
from scarceseq.runtime import commit, start

start(snakemake.log[0])
settings, output = snakemake.params.settings, snakemake.output
found = design(read_graph(snakemake.input.graph), settings["design"], settings["seed"])
write_table(found.order, output.order)
write_table(found.plates, output.plates)
write_table(found.coverage, output.curve)
write_table(found.names, output.names)
write_json(found.summary, output.summary)
written = {f"design_{name}": output[name] for name in ("order", "plates", "curve", "names", "summary")}
section = page.section(Inputs(written))
drawing = style.svg(next(block.figure for block in section.blocks if block.kind == "picture"), "coverage")
folder = Path(output.order).parent
with atomic(output.picture) as picture, atomic(output.page) as html:
    picture.write_text(drawing, encoding="utf-8")
    text = render([section], settings, {"coverage": drawing}, folder, commit(Path(__file__).parent))
    html.write_text(text, encoding="utf-8")
with atomic(output.sheet) as paper:
    sheet = sheet_figure(settings["name"], found.order, found.plates, found.coverage, found.summary)
    sheet.savefig(paper, format="pdf", metadata={"CreationDate": None})

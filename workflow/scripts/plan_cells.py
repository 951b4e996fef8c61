"""How many cells a perturbation needs, and how many genes by how many cells a budget should buy."""

import anndata
from scarceseq.design.cell_plan import plan_cells, read_numbers
from scarceseq.files import read_table, write_json, write_table
from scarceseq.network.graph import read_graph
from scarceseq.runtime import start
from scarceseq.seals import checked

start(snakemake.log[0])
source, settings = snakemake.input, snakemake.params.settings
sources = [read_graph(path) for path in source.graphs]
sources += [read_table(path).set_index("gene") for path in source.get("embeddings", [])]
profiles = anndata.read_h5ad(checked(source.pseudobulk)) if source.get("pseudobulk") else None
numbers = read_numbers(settings["cells"], source.get("pilot"), profiles, source.get("screen_cells"))
cells, plan, summary = plan_cells(sources, settings, numbers)
write_table(cells, snakemake.output.cells)
write_table(plan, snakemake.output.plan)
write_json(summary, snakemake.output.summary)

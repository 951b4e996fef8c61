"""Train one predictor on each budget of the rankings of one job, and measure it on the test perturbations."""

import anndata
from scarceseq.files import read_table, write_table
from scarceseq.network.graph import read_graph
from scarceseq.perturbation.contexts import measured_elsewhere
from scarceseq.perturbation.training_cells import read_cells
from scarceseq.runtime import start
from scarceseq.seals import checked
from scarceseq.selection.fitting import fit_selection
from scarceseq.selection.settings import BudgetSettings

start(snakemake.log[0])
source, wildcards = snakemake.input, snakemake.wildcards
screen = {
    "profiles": anndata.read_h5ad(checked(source.pseudobulk)),
    "differential": read_table(source.differential),
    "splits": read_table(source.splits),
}
extra = {"settings": snakemake.params.settings | {"threads": snakemake.threads}}
if source.get("cells"):
    extra["cells"] = read_cells(source.cells, screen["profiles"].obs_names, snakemake.params.drop_expressing)
if source.get("contexts"):
    others = [anndata.read_h5ad(checked(path)) for path in source.contexts]
    extra["contexts"] = measured_elsewhere(screen["profiles"].obs_names, screen["profiles"].var_names, others)
predictions = fit_selection(
    {"screen": wildcards.screen, "graph": wildcards.graph},
    wildcards.predictor,
    screen,
    read_table(source.rankings),
    read_graph(*source.prediction_graph) if source.prediction_graph else None,
    BudgetSettings(**snakemake.params.budgets),
    extra,
)
write_table(predictions, snakemake.output.predictions)

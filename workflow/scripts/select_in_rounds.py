"""Choose in rounds, with a model fitted in between, by the selectors of one job."""

import anndata
from scarceseq.files import read_table, write_table
from scarceseq.network.graph import read_graph
from scarceseq.perturbation.training_cells import read_cells
from scarceseq.runtime import start
from scarceseq.seals import checked
from scarceseq.selection.rounds import select_in_rounds
from scarceseq.selection.settings import RankingSettings, RoundSettings

start(snakemake.log[0])
source, params = snakemake.input, snakemake.params
profiles = anndata.read_h5ad(checked(source.pseudobulk))
models = {name: {"settings": settings | {"threads": snakemake.threads}} for name, settings in params.models.items()}
if source.get("cells"):
    cells = read_cells(source.cells, profiles.obs_names, params.drop_expressing)
    models = {name: fields | {"cells": cells} for name, fields in models.items()}
rankings, costs = select_in_rounds(
    snakemake.wildcards.screen,
    params.selectors,
    profiles,
    read_table(source.splits),
    read_graph(source.graph) if source.graph else None,
    [read_graph(path) for path in source.priors],
    (RankingSettings(1, params.hops), RoundSettings(**params.rounds), params.min_budget),
    params.seed,
    models,
)
write_table(rankings, snakemake.output.rankings)
write_table(costs, snakemake.output.costs)

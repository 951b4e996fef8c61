"""Rank the pool of each split by the selectors of one job."""

from scarceseq.files import read_table, write_table
from scarceseq.network.graph import read_graph
from scarceseq.runtime import start
from scarceseq.selection.rankings import rank_perturbations
from scarceseq.selection.settings import RankingSettings

start(snakemake.log[0])
source = snakemake.input
rankings, costs = rank_perturbations(
    snakemake.wildcards.screen,
    snakemake.params.selectors,
    read_table(source.splits),
    read_graph(source.graph) if source.graph else None,
    [read_graph(path) for path in source.priors],
    RankingSettings(snakemake.params.random_draws, snakemake.params.hops),
    snakemake.params.seed,
)
write_table(rankings, snakemake.output.rankings)
write_table(costs, snakemake.output.costs)

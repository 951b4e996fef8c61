"""Rank the pool of each split by one selector."""

from scarceseq.files import read_table, write_table
from scarceseq.network.graph import read_graph
from scarceseq.runtime import start
from scarceseq.selection.rankings import rank_perturbations
from scarceseq.selection.settings import RankingSettings

start(snakemake.log[0])
rankings = rank_perturbations(
    snakemake.wildcards.screen,
    snakemake.wildcards.selector,
    read_table(snakemake.input.splits),
    [read_graph(path) for path in snakemake.input.graphs],
    RankingSettings(snakemake.params.random_draws, snakemake.params.hops),
    snakemake.params.seed,
)
write_table(rankings, snakemake.output.rankings)

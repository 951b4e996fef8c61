"""What the choices on one screen cover, how stable they are, and what they cost."""

import pandas as pd
from scarceseq.files import read_table, write_table
from scarceseq.network.graph import read_graph
from scarceseq.runtime import start
from scarceseq.selection.description import costs, coverage
from scarceseq.selection.settings import BudgetSettings, StabilitySettings
from scarceseq.selection.stability import stability

start(snakemake.log[0])
source, params = snakemake.input, snakemake.params
budgets, splits = BudgetSettings(**params.budgets), read_table(source.splits)


def read(paths: list[str]) -> pd.DataFrame:
    """One table of all rankings, with the graph that each was made on."""
    tables = zip(params.graph_of_ranking, paths, strict=True)
    return pd.concat([read_table(path).assign(selection_graph=graph) for graph, path in tables])


rankings = read(source.rankings)
covered = coverage(rankings, splits, read_graph(source.prediction_graph), budgets, params.hops)
first = splits[splits["split"] == splits["split"].min()]
pool, tests = (sorted(first.loc[first["role"] == role, "perturbation"]) for role in ("pool", "test"))
tables = [
    stability(
        pool, tests, read_graph(path), StabilitySettings(**params.stability), budgets, params.hops, params.seed
    ).assign(selection_graph=graph)
    for graph, path in zip(params.graphs, source.graphs, strict=True)
]
screen = {"screen": snakemake.wildcards.screen}
write_table(covered.assign(**screen), snakemake.output.coverage)
write_table(pd.concat(tables).assign(**screen), snakemake.output.stability)
paid = costs(read(source.costs), rankings, params.days_per_cycle)
write_table(paid.assign(**screen), snakemake.output.costs)

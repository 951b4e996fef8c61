"""What the choices on one screen cover, how stable they are, and what they cost."""

from pathlib import Path

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


def joined(paths):
    """Tables of all rankings with the name of their selection graph, which is that of the folder's folder."""
    return pd.concat([read_table(path).assign(selection_graph=Path(path).parts[-3]) for path in paths])


rankings = joined(source.rankings)
covered = coverage(rankings, splits, read_graph(source.prediction_graph), budgets, params.hops)
first = splits[splits["split"] == splits["split"].min()]
pool, tests = (sorted(first.loc[first["role"] == role, "perturbation"]) for role in ("pool", "test"))
tables = [
    stability(
        pool, tests, read_graph(path), StabilitySettings(**params.stability), budgets, params.hops, params.seed
    ).assign(selection_graph=Path(path).stem)
    for path in source.graphs
]
about = {"screen": snakemake.wildcards.screen}
write_table(covered.assign(**about), snakemake.output.coverage)
write_table(pd.concat(tables).assign(**about), snakemake.output.stability)
paid = costs(joined(source.costs), rankings, params.days_per_cycle)
write_table(paid.assign(**about), snakemake.output.costs)

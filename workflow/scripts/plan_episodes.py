"""Draw the episodes of a cell: support and query samples from validation and test studies."""

from scarceseq.fewshot.episodes import plan_cell
from scarceseq.fewshot.settings import Cell, EpisodeSettings
from scarceseq.files import read_table, write_json, write_table
from scarceseq.runtime import start

start(snakemake.log[0])
wildcards = snakemake.wildcards
episodes, plan = plan_cell(
    samples=read_table(snakemake.input.samples),
    attributes=read_table(snakemake.input.attributes),
    splits=read_table(snakemake.input.splits),
    settings=EpisodeSettings(**snakemake.params.settings),
    cell=Cell(wildcards.task, wildcards.way if wildcards.way == "all" else int(wildcards.way), int(wildcards.shot)),
    seed=snakemake.params.seed,
)
write_table(episodes, snakemake.output.episodes)
write_json(plan, snakemake.output.plan)

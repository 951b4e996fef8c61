"""Draw the episodes of a task, cell by cell: support and query samples from validation and test studies."""

from scarceseq.fewshot.episodes import plan_task
from scarceseq.fewshot.settings import EpisodeSettings
from scarceseq.files import read_table, write_json, write_table
from scarceseq.runtime import start

start(snakemake.log[0])
params = snakemake.params
settings = EpisodeSettings(
    split=params.split,
    label=params.label,
    protocol=params.protocol,
    classes=list(params.classes),
    group=params.group,
    episodes=params.episodes,
    validation_episodes=params.validation_episodes,
    query_per_class=params.query_per_class,
)
episodes, plans = plan_task(
    samples=read_table(snakemake.input.samples),
    attributes=read_table(snakemake.input.attributes),
    splits=read_table(snakemake.input.splits),
    settings=settings,
    task=snakemake.wildcards.task,
    ways=params.ways,
    shots=params.shots,
    seed=params.seed,
)
write_table(episodes, snakemake.output.episodes)
write_json(plans, snakemake.output.plan)

"""Score all few-shot predictions: per episode, per method with intervals, paired contrasts, ranks and mean curves."""

from pathlib import Path

from scarceseq.fewshot.scores import contrast, mean_curves, rank, score_episodes, summarise
from scarceseq.fewshot.settings import ScoreSettings
from scarceseq.files import read_json, read_table, write_table
from scarceseq.runtime import start


def read(paths):
    """Tables with the base and task that their paths name: .../{base}/{block}/{task}/{way}way_{shot}shot.parquet."""
    places = [(Path(path).parts[-4], Path(path).parts[-2]) for path in paths]
    keys = [dict(base=snakemake.params.base_of[variant], task=task) for variant, task in places]
    return [(key, read_table(path)) for key, path in zip(keys, paths, strict=True)]


start(snakemake.log[0])
settings, seed = ScoreSettings(**snakemake.params.scoring), snakemake.params.seed
plans = [read_json(path) for path in snakemake.input.plans]
methods = [tuple(listed) for listed in snakemake.params.methods]
scores = score_episodes(read(snakemake.input.predictions))
write_table(scores, snakemake.output.scores)
write_table(summarise(scores, plans, methods, settings, seed), snakemake.output.summary)
write_table(contrast(scores, settings, seed), snakemake.output.contrasts)
write_table(rank(scores, settings.confidence), snakemake.output.ranks)
write_table(mean_curves(read(snakemake.input.curves)), snakemake.output.curves)

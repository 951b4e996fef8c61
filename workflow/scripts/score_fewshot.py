"""Score all few-shot predictions: per episode, per method with intervals, and paired contrasts."""

from pathlib import Path

from scarceseq.fewshot.scores import contrast, score_episodes, summarise
from scarceseq.fewshot.settings import ScoreSettings
from scarceseq.files import read_json, read_table, write_table
from scarceseq.runtime import start

start(snakemake.log[0])
plans = {Path(path).stem: read_json(path) for path in snakemake.input.plans}
predictions, methods = [], []
for path in map(Path, snakemake.input.predictions):  # .../{base}/{method}/{task}.parquet
    base, method, task = path.parts[-3], path.parts[-2], path.stem
    predictions.append((dict(base=base, method=method, task=task), read_table(path)))
    methods.append((base, method, task))
settings, seed = ScoreSettings(**snakemake.params.scoring), snakemake.params.seed
scores = score_episodes(predictions)
write_table(scores, snakemake.output.scores)
write_table(
    summarise(scores, [plan for listed in plans.values() for plan in listed], methods, settings, seed),
    snakemake.output.summary,
)
write_table(contrast(scores, settings, seed), snakemake.output.contrasts)

"""Score all few-shot predictions: per episode, per method with intervals, contrasts, ranks, curves and a verdict."""

import pandas as pd
from scarceseq.fewshot.scores import contrast, mean_curves, rank, score_episodes, summarise
from scarceseq.fewshot.tuning import tuning
from scarceseq.fewshot.verdict import sentences, verdict
from scarceseq.files import atomic, read_json, read_table, write_table
from scarceseq.runtime import start


def read(paths: list[str]) -> list[tuple[dict, pd.DataFrame]]:
    """Tables of all fits, each with its base and task."""
    return [(fit, read_table(path)) for fit, path in zip(snakemake.params.fits, paths, strict=True)]


start(snakemake.log[0])
confidence = snakemake.params.scoring["confidence"]
smallest = snakemake.params.scoring["smallest_difference"]
plans = [read_json(path) for path in snakemake.input.plans]
methods = [tuple(listed) for listed in snakemake.params.methods]
predictions = read(snakemake.input.predictions)
scores = score_episodes(predictions)
write_table(scores, snakemake.output.scores)
write_table(summarise(scores, plans, methods, confidence), snakemake.output.summary)
contrasts, ranks = contrast(scores, confidence), rank(scores, confidence)
write_table(contrasts, snakemake.output.contrasts)
write_table(ranks, snakemake.output.ranks)
tuned = tuning(predictions)
write_table(tuned, snakemake.output.tuning)
write_table(mean_curves(read(snakemake.input.curves)), snakemake.output.curves)
conclusion = verdict(contrasts, ranks, smallest, confidence, tuned)
with atomic(snakemake.output.verdict, sealed=True) as path:
    single = "\n".join(f"- {text}" for text in sentences(contrasts, smallest))
    path.write_text(f"{conclusion}\n\n{single}\n")

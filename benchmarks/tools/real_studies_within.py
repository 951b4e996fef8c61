"""Learning within studies against learning of masked genes, pooled over series: a table, a figure and a page.

`python benchmarks/tools/real_studies_within.py docs/benchmark COMMIT RESULTS`, when the runs real_studies_mouse,
real_studies_within_mouse and those of human are in the folder RESULTS. What is compared was written down before:
docs/benchmark/real_studies_protocol.md, second amendment.
"""

import sys
import textwrap
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

import pandas as pd
from real_studies import BOTH, GUIDED, LABELS, REFERENCE, controls, minutes, pooled, read_run
from real_studies_page import VERBS, draw
from scarceseq.files import atomic, write_table
from scarceseq.report import style

WITHIN = " (within)"
GUIDE, NETWORKS = "guided@per_tensor", ("logistic@embedding", "linear_probe", "full_fine_tuning", "guided@per_tensor")
ORGANISMS = ("mouse", "human")


def compared(methods):
    """(method, against, kind): the guide against its controls and ridge, each network method against its other self."""
    pairs = [(GUIDE + WITHIN, control + WITHIN) for control in controls(GUIDE)]
    pairs += [(method + WITHIN, method) for method in NETWORKS]
    pairs += [(method + WITHIN, REFERENCE) for method in NETWORKS]
    return [(*pair, "secondary") for pair in pairs if set(pair) <= set(methods)]


def both_runs(masked, within):
    """Scores of both runs on the episodes that they share, the second's methods by names of their own.

    Raises
    ------
    ValueError
        If ridge on logarithms, which sees no network, differs between them: the episodes are others.
    """
    masked, within = (scores[scores["label"] == GUIDED] for scores in (masked, within))
    keys = ["organism", "series", "task", "k", "episode"]
    same = [scores[scores["method"] == REFERENCE].groupby(keys)["value"].first() for scores in (masked, within)]
    if not same[0].equals(same[1]):
        raise ValueError("the two runs have other episodes: run both with the same seed and tables")
    within = within[within["method"] != REFERENCE]
    return pd.concat([masked, within.assign(method=within["method"] + WITHIN)], ignore_index=True)


def line(row):
    """One comparison."""
    interval = f"{row.difference:+.3f} ({row.low:+.3f} to {row.high:+.3f})"
    seeds = f"{row.seed_low:+.3f} to {row.seed_high:+.3f}"
    return f"| `{row.method}` | `{row.against}` | {interval} | {row.outcome} | {seeds} |"


def answer(table):
    """The first sentences: does the guide do better, do the base models?"""
    rows = {(row.method, row.against): row for row in table.itertuples()}
    control = rows[GUIDE + WITHIN, controls(GUIDE)[0] + WITHIN]
    base = rows["logistic@embedding" + WITHIN, "logistic@embedding"]
    ridge = rows[GUIDE + WITHIN, REFERENCE]
    text = (
        f"With base models and scouts that learn within studies, guided fine-tuning {VERBS[control.outcome]} its "
        f"control of equal mean rate ({control.difference:+.3f}, {control.series} series) and {VERBS[ridge.outcome]} "
        f"ridge regression on plain logarithms ({ridge.difference:+.3f}); logistic regression on their embedding "
        f"{VERBS[base.outcome]} that on the embedding of base models of masked genes ({base.difference:+.3f})."
    )
    return textwrap.fill(text, 120)


PAGE = """# Learning within studies

{answer}

Base models that predict masked genes of a sample's difference to its study's mean, and scouts that tell two classes of
one study apart, in place of masked genes and clusters; all else is as in [real_studies.md](real_studies.md): folds of
series, five seeds, tasks, episodes. Written [before](real_studies_protocol.md) (second amendment); post hoc.

![Differences](real_studies_within.svg)

Balanced accuracy, mean over k = 2 and 3, pooled over {series} series, with 95 % intervals:

| method | against | difference | outcome | by one seed |
|---|---|---|---|---|
{lines}

`(within)`: on the base models, and by the scouts, that learn within studies. By organism and k:
[real_studies_within.tsv](real_studies_within.tsv).

Run with the code of {commit}: `snakemake --cores 2 results/real_studies_within_mouse/fewshot/scores.parquet
results/real_studies_within_mouse/fewshot/tuning.tsv --configfile config/real_studies_mouse.yaml
benchmarks/tools/real_studies_within.yaml --config name=real_studies_within_mouse`, human likewise.
Page by `python benchmarks/tools/real_studies_within.py docs/benchmark COMMIT results`.

- Base models see 150 to 420 samples; the scale of the archive stays open.
- Scouts: at most ten contrasts of a fold's training studies, fewer where there are fewer.
- Models of one fold share training data: intervals are approximate.
- Base model and scouts change together: the gain of either alone is not told, but for methods without a guide.
- Processor time: {cost}.
"""


def main(folder, commit, results):
    """Write the table, the figure and the page."""
    series_of = pd.read_csv(LABELS, sep="\t", dtype=str).dropna(subset="study").drop_duplicates("study")
    series_of = series_of.set_index("study")["series"]
    runs = {organism: f"{results}/real_studies_within_{organism}" for organism in ORGANISMS}
    pairs = [
        both_runs(*(read_run(run, series_of)[0] for run in (f"{results}/real_studies_{organism}", runs[organism])))
        for organism in ORGANISMS
    ]
    scores = pd.concat(pairs, ignore_index=True)
    table = pooled(scores, list(dict.fromkeys(scores["method"])), compared)
    folder = Path(folder)
    write_table(table.round(4), folder / "real_studies_within.tsv")
    shown = table[(table["organism"] == "both") & (table["k"] == BOTH)]
    with atomic(folder / "real_studies_within.svg") as path:
        Path(path).write_text(style.svg(draw(table, REFERENCE, BOTH), "real_studies_within"))
    cost = ", ".join(f"{organism} {minutes(run):.0f} minutes" for organism, run in runs.items())
    text = PAGE.format(
        answer=answer(shown), series=shown["series"].max(), commit=commit, cost=cost,
        lines="\n".join(line(row) for row in shown.itertuples()),
    )  # fmt: skip
    with atomic(folder / "real_studies_within.md") as path:
        Path(path).write_text(text)


if __name__ == "__main__":
    main(*sys.argv[1:])

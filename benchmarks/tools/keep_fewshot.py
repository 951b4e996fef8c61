"""Keep what a run of the few-shot stage found: a summary, and a page with the sentences made from its tables.

`python benchmarks/tools/keep_fewshot.py results/NAME docs/benchmark COMMIT ANSWER [PAGE]`, of the config
`config/NAME.yaml`; the commit is that of the code that made the run, the answer the first sentence of the page. That is
`fewshot.md` for `benchmark_fewshot`, else `fewshot_NAME.md`, unless it is named, as for a part of a run.
"""

import datetime
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

import yaml
from kept_page import in_two
from scarceseq.fewshot.settings import Scoring
from scarceseq.fewshot.verdict import METRIC, sentences, verdict
from scarceseq.files import read_table, write_table

REPOSITORY = Path(__file__).parents[2]
CELL = ["base", "task", "way", "shot"]
GENERATED = (
    "The archive is generated, so that this is a test of the method on a known truth and no claim about real studies."
)
REAL = "The studies are real, and few: nothing was tuned, and what is said holds for these studies alone."


def page(name, tables, commit, scoring, config):
    """Markdown: how the run was made, the verdict, each planned contrast, ranks or means of all methods, gaps."""
    contrasts, ranks, summary = tables
    generated, smallest = "demo" in config, scoring["smallest_difference"]
    where = "the generated archive" if generated else f"the studies of `config/{name}.yaml`"
    lines = [
        f"# What guided fine-tuning is worth on {where}",
        "",
        f"Made by `config/{name}.yaml` at commit {commit}, kept on {datetime.date.today():%-d %B %Y}.",
        "The sentences are made from the run's tables by `benchmarks/tools/keep_fewshot.py`; the tables are made again",
        f"by `snakemake --cores all --configfile config/{name}.yaml` (in `results/{name}/fewshot/`). What is compared,",
        "and how: [protocol](../protocol.md).",
        GENERATED if generated else REAL,
        "",
        "## Verdict",
        "",
        verdict(contrasts, ranks, smallest, scoring["confidence"]).replace(". ", ".\n"),
        "",
        "## Planned contrasts in balanced accuracy",
        "",
        *(f"- {sentence}" for sentence in sentences(contrasts, smallest)),
    ]
    if len(ranks):
        lines += ["", "## Mean ranks over test studies", *of_ranks(ranks, config)]
    return "\n".join([*lines, *of_means(summary, ranks), *of_gaps(summary, config)]) + "\n"


def per_class(task, config):
    """Whose samples a cell of a task counts: where one study is left out, each of the others gives as many."""
    known = config["fewshot"]["tasks"].get(task, {})
    return "per class from each other study" if known.get("protocol") == "leave_one_study_out" else "per class"


def of_ranks(ranks, config):
    """A table of methods for each cell that has ranks."""
    for (_, task, way, shot), part in ranks.groupby(CELL, sort=True):
        yield from (
            "",
            f"### {task}, {way} classes, {shot} {per_class(task, config)}",
            "",
            f"{part['studies'].iloc[0]} studies; ranks closer than {part['critical_difference'].iloc[0]:.2f} are not",
            f"told apart. Friedman test: p = {part['friedman_p'].iloc[0]:.2g}.",
            "",
            "| method | mean rank | mean balanced accuracy |",
            "|---|---|---|",
        )
        yield from (f"| {row.method} | {row.mean_rank:.2f} | {row.mean:.3f} |" for row in part.itertuples())


def of_means(summary, ranks):
    """A table of methods by cells of each task, of the cells that have too few studies for ranks."""
    ranked = set(ranks[CELL].astype(str).itertuples(index=False, name=None))
    run = summary[(summary["status"] == "run") & (summary["metric"] == METRIC)]
    alone = [key not in ranked for key in run[CELL].astype(str).itertuples(index=False, name=None)]
    run = run[alone]
    if len(run):
        yield from ("", "## Mean balanced accuracy where fewer than three studies are tested on")
    for (base, task), part in run.groupby(["base", "task"], sort=True):
        cell = [f"{row.way} x {row.shot} ({row.studies}, {row.episodes})" for row in part.itertuples()]
        wide = part.assign(cell=cell).pivot(index="method", columns="cell", values="mean")[list(dict.fromkeys(cell))]
        yield from ("", f"### {task}, base {base}", "", "Classes x samples of each (studies, episodes).", "")
        yield f"| method | {' | '.join(wide.columns)} |"
        yield "|---|" + "---|" * wide.shape[1]
        for method in wide.mean(axis=1).sort_values(ascending=False, kind="stable").index:
            yield f"| {method} | " + " | ".join(f"{value:.3f}" for value in wide.loc[method]) + " |"


def of_gaps(summary, config):
    """The cells that could not be filled, each with its reason."""
    gaps = summary[summary["status"] == "not run"].drop_duplicates(["task", "way", "shot"])
    if len(gaps):
        yield from ("", "## Cells that could not be filled", "")
        yield from (
            f"- {row.task}, {row.way} classes, {row.shot} {per_class(row.task, config)}: {row.reason}."
            for row in gaps.itertuples()
        )


def main(results, target, commit, answer, kept=None):
    """Write the page, its details and the summary."""
    name, target = Path(results).name, Path(target)
    kept = kept or ("fewshot" if name == "benchmark_fewshot" else f"fewshot_{name}")
    folder = Path(results) / "fewshot"
    tables = [read_table(folder / f"{table}.tsv") for table in ("contrasts", "ranks", "summary")]
    summary = tables[-1]
    write_table(summary[summary["metric"] == METRIC].round(5), target / f"{kept}_summary.tsv")
    config = yaml.safe_load((REPOSITORY / "config" / f"{name}.yaml").read_text())
    scoring = asdict(Scoring()) | config["fewshot"].get("scoring", {})
    text, details = in_two(page(name, tables, commit, scoring, config).split("\n"), answer, kept)
    (target / f"{kept}.md").write_text(text)
    (target / f"{kept}_details.md").write_text(details)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Keep what a run of config/benchmark_fewshot.yaml found: tables, and a page with the sentences made from them.

`python benchmarks/tools/keep_fewshot.py results/benchmark_fewshot docs/benchmark COMMIT`: the commit is that of the
code that made the run.
"""

import datetime
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

import yaml
from scarceseq.fewshot.verdict import METRIC, sentences, verdict
from scarceseq.files import read_table, write_table

SCHEMA = Path(__file__).parents[2] / "workflow" / "schemas" / "fewshot.schema.yaml"
CELL = ["base", "task", "way", "shot"]


def page(contrasts, ranks, commit, smallest):
    """Markdown: how the run was made, the verdict, each planned contrast, and the ranks of all methods."""
    lines = [
        "# What guided fine-tuning is worth on the generated archive",
        "",
        f"Made by `config/benchmark_fewshot.yaml` at commit {commit}, kept on {datetime.date.today():%-d %B %Y}.",
        "The sentences are made from the tables beside this page (`benchmarks/tools/keep_fewshot.py`); what is",
        "compared, and how: [protocol](../protocol.md). The archive is generated, so that this is a test of the method",
        "on a known truth and no claim about real studies.",
        "",
        "## Verdict",
        "",
        verdict(contrasts, ranks, smallest).replace(". ", ".\n"),
        "",
        "## Planned contrasts in balanced accuracy",
        "",
        *(f"- {sentence}" for sentence in sentences(contrasts, smallest)),
        "",
        "## Mean ranks over test studies",
    ]
    for (_, task, way, shot), part in ranks.groupby(CELL, sort=True):
        lines += [
            "",
            f"### {task}, {way} classes, {shot} per class",
            "",
            f"{part['studies'].iloc[0]} studies; ranks closer than {part['critical_difference'].iloc[0]:.2f} are not",
            f"told apart. Friedman test: p = {part['friedman_p'].iloc[0]:.2g}.",
            "",
            "| method | mean rank | mean balanced accuracy |",
            "|---|---|---|",
        ]
        lines += [f"| {row.method} | {row.mean_rank:.2f} | {row.mean:.3f} |" for row in part.itertuples()]
    return "\n".join(lines) + "\n"


def main(results, target, commit):
    """Write the page and its tables."""
    results, target = Path(results) / "fewshot", Path(target)
    contrasts, ranks, summary = (read_table(results / f"{name}.tsv") for name in ("contrasts", "ranks", "summary"))
    write_table(contrasts[contrasts["kind"] == "primary"].round(5), target / "fewshot_contrasts.tsv")
    write_table(ranks.round(5), target / "fewshot_ranks.tsv")
    write_table(summary[summary["metric"] == METRIC].round(5), target / "fewshot_summary.tsv")
    write_table(read_table(results / "curves.tsv").round(5), target / "fewshot_curves.tsv")
    scoring = yaml.safe_load(SCHEMA.read_text())["properties"]["scoring"]["properties"]
    (target / "fewshot.md").write_text(page(contrasts, ranks, commit, scoring["smallest_difference"]["default"]))


if __name__ == "__main__":
    main(*sys.argv[1:])

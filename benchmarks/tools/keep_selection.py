"""Keep what a run of selection found: a summary, and a page with the sentences made from its tables.

`python benchmarks/tools/keep_selection.py results/benchmark_selection docs/benchmark COMMIT ANSWER [NAME]`: the commit
is that of the code that made the run, the answer the first sentence of the page, NAME what it is called (selection).
"""

import datetime
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

from kept_page import in_two
from scarceseq.files import read_table, write_table
from scarceseq.selection.contrasts import PRIMARY
from scarceseq.selection.verdicts import field_verdict, graph_verdict, verdict


def page(contrasts, summary, run, commit, screens):
    """Markdown: how the run was made, the verdicts, and the areas of all ways of choosing."""
    lines = [
        "# What choosing perturbations is worth",
        "",
        f"Made by `config/{run}.yaml` at commit {commit}, kept on {datetime.date.today():%-d %B %Y},",
        f"from the screen{'s' * (len(screens) > 1)} {', '.join(screens)}. The sentences are made from the run's tables",
        "by `benchmarks/tools/keep_selection.py`; the tables are made again by",
        f"`snakemake --cores all --configfile config/{run}.yaml` (in `results/{run}/selection/`). What is compared:",
        "[protocol](../protocol.md).",
        "",
        "## Planned contrasts",
        "",
        *(f"- {verdict(part)}" for _, part in planned(contrasts)),
        "",
        "## Does the graph matter?",
        "",
        graph_verdict(contrasts) or "No control graph was run.",
        "",
        "## All ways of choosing",
        "",
        *(f"{paragraph}\n" for paragraph in field_verdict(contrasts)),
        "Gain: area under the squared-error curve saved against random choice, % of what random leaves to be saved.",
        "",
    ]
    for screen in screens:
        lines += [
            f"### {screen}",
            "",
            "| selector | graph | gain | interval | p (Holm) | outcome |",
            "|---|---|---|---|---|---|",
        ]
        for row in areas(contrasts, screen).itertuples():
            gain, low, high = (100 * value / row.room for value in (row.difference, row.low, row.high))
            interval = f"{low:+.1f} to {high:+.1f} | {row.p_holm:.2g}"
            lines.append(f"| {row.selector} | {row.graph} | {gain:+.1f} | {interval} | {row.outcome} |")
        lines.append("")
    runs = summary[summary["status"] == "run"]
    lines.append(f"{int(runs['splits'].max())} splits, {int(runs['draws'].max())} random draws in each.")
    return "\n".join(lines) + "\n"


def planned(contrasts):
    """Primary contrasts, by screen and graph."""
    return contrasts[contrasts["kind"] == "primary"].groupby(["screen", "graph"], sort=True)


def areas(contrasts, screen):
    """Rows of the areas under the squared-error curve against random choice, the best first."""
    about = {"screen": screen, "against": "random", "metric": "mse", "scale": "raw", "quantity": "area"}
    about["predictor"] = PRIMARY["predictor"]
    chosen = contrasts["kind"] != "control"
    for key, value in about.items():
        chosen &= contrasts[key] == value
    return contrasts[chosen].sort_values("difference", ascending=False)


def main(results, target, commit, answer, kept="selection"):
    """Write the page, its details and the summary."""
    results, target = Path(results), Path(target)
    contrasts, summary = (read_table(results / f"selection/{name}.tsv") for name in ("contrasts", "summary"))
    screens = sorted(set(contrasts["screen"]))
    write_table(
        summary[(summary["metric"] == "mse") & (summary["scale"] == "raw")].round(6), target / f"{kept}_summary.tsv"
    )
    text = page(contrasts, summary, results.name, commit, screens).split("\n")
    text, details = in_two(text, answer, kept, 0)
    (target / f"{kept}.md").write_text(text)
    (target / f"{kept}_details.md").write_text(details)


if __name__ == "__main__":
    main(*sys.argv[1:])

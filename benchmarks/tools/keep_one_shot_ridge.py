"""Keep what the ridge says beside GEARS: a table and a page.

`python benchmarks/tools/keep_one_shot_ridge.py results/benchmark_one_shot_ridge docs/benchmark COMMIT`: the commit is
that of the code that made the run. Writes `one_shot_ridge.tsv` and `one_shot_ridge.md`.
"""

import sys
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

from scarceseq.files import read_table, write_table
from scarceseq.report.wording import words
from scarceseq.statistics.outcomes import Outcome

KEYS = ["screen", "graph", "selector", "predictor", "metric", "budget"]
WORTH = ["share", "share_low", "share_high", "equivalent", "equivalent_low", "equivalent_high"]
COLUMNS = [*KEYS[:3], "names_used", *KEYS[3:], "gain", "low", "high", "outcome", *WORTH, "splits"]
METRICS = ["mse", "mse_top", "pearson_delta", "pearson_delta_perturbed_mean"]
SHOWN = {"annotation": "as it is", "annotation_less_30": "30 % of links removed"}
SHOWN |= {"annotation_less_50": "50 % removed", "annotation_rewired": "rewired"}
SHOWN |= {"annotation_shuffled": "twin, whose graph says nothing"}


def gains(contrasts, worth):
    """Gain of each selector against random choice, in percent of what random leaves to be gained; and its worth.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`; budget is missing for the mean over budgets, for which there is no equivalent random budget.
    """
    rows = contrasts[(contrasts["against"] == "random") & (contrasts["kind"] != "control")]
    rows = rows[(rows["scale"] == "raw") & rows["metric"].isin(METRICS)].copy()
    for column in ("difference", "low", "high"):
        rows[column] = (100 * rows[column] / rows["room"]).round(2)
    rows = rows.rename(columns={"difference": "gain"}).astype({"budget": "Int32"})
    used = worth.drop_duplicates("selector").set_index("selector")["names_used"]
    rows["names_used"] = rows["selector"].map(used)
    each = worth[[*KEYS, *WORTH]].astype({"budget": "Int32"})
    each[WORTH] = each[WORTH].round(3)
    whole = rows["budget"].notna() & ~rows["budget"].isin(each["budget"])  # the whole pool leaves nothing to choose
    rows = rows[~whole].merge(each, on=KEYS, how="left", validate="one_to_one")
    order = ["screen", "graph", "metric", "budget", "gain"]
    return rows.sort_values(order, ascending=[True, True, True, True, False], ignore_index=True)[COLUMNS]


def counted(area, graph):
    """How many selectors do better and worse than random choice on a graph, in words."""
    rows = area[area["graph"] == graph]
    better, worse = ((rows["outcome"] == kind).sum() for kind in (Outcome.BETTER, Outcome.WORSE))
    return f"{better} of {len(rows)} do better than random choice and {worse} worse"


def page(table, scores, commit):
    """Markdown of the page."""
    area = table[table["budget"].isna() & (table["metric"] == "mse")]
    whole = scores[(scores["metric"] == "mse") & (scores["budget"] == scores["pool"])].groupby("screen")
    error = (whole["value"].mean() / whole["floor"].mean()).round(2)
    selectors = area[area["graph"] == "annotation"].sort_values("gain", ascending=False)["selector"]
    cells = area.set_index(["graph", "selector"])
    draws = scores.loc[scores["selector"] == "random", "draw"].nunique()
    budgets = ", ".join(map(str, sorted(table["budget"].dropna().unique())))
    lines = [
        "# The ridge beside GEARS: more splits, noise in the graph, and a twin",
        "",
        f"On the graph as it is, {counted(area, 'annotation')}, each by its own interval;",
        f"with 30 % of the links removed {counted(area, 'annotation_less_30')},",
        f"rewired {counted(area, 'annotation_rewired')},",
        f"and on a twin whose graph says nothing {counted(area, 'annotation_shuffled')}.",
        "",
        f"The kernel ridge on the world of [one_shot_gears.md](one_shot_gears.md): {int(area['splits'].max())} splits,",
        f"{draws} random choices in each, budgets of {budgets} of {scores['pool'].max()} perturbations.",
        "Links are removed or rewired for the selectors; the ridge keeps the graph as it is. The twin has the same",
        "cells, and for selectors and ridge the same links between other genes. Trained on the whole pool the ridge",
        f"leaves {error['demo']:.2f} of the training mean's squared error, on the twin {error['twin']:.2f}.",
        "",
        "Gain: area under the squared-error curve saved against random choice, in percent of what random leaves to be",
        "gained, with a 95 % interval over splits. `v_optimal` and `herding` know the names of the test perturbations,",
        "`@list` those of the whole list, the others none. This is one generated screen.",
        "",
        f"| selector | {' | '.join(SHOWN.values())} |",
        f"|---|{'---|' * len(SHOWN)}",
    ]
    for selector in selectors:
        rows = [cells.loc[(graph, selector)] for graph in SHOWN]
        texts = [f"{row['gain']:+.1f} ({row['low']:+.1f} to {row['high']:+.1f})" for row in rows]
        lines.append(f"| {words(selector)} | {' | '.join(texts)} |")
    lines += [
        "",
        "By budget, with shares of the room and equivalent random budgets: [one_shot_ridge.tsv](one_shot_ridge.tsv).",
        f"Made by `config/benchmark_one_shot_ridge.yaml` at commit {commit}, kept by",
        "`benchmarks/tools/keep_one_shot_ridge.py`; made again by",
        "`snakemake --cores all --configfile config/benchmark_one_shot_ridge.yaml`.",
    ]
    return "\n".join(lines) + "\n"


def main(results, folder, commit):
    selection, folder = Path(results, "selection"), Path(folder)
    table = gains(read_table(selection / "contrasts.tsv"), read_table(selection / "worth.tsv"))
    write_table(table, folder / "one_shot_ridge.tsv")
    text = page(table, pd.read_parquet(selection / "scores.parquet"), commit)
    (folder / "one_shot_ridge.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])

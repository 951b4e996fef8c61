"""Keep what a run of one shot against rounds says: a table, and a page with its figure.

`python benchmarks/tools/keep_one_shot.py results/benchmark_one_shot docs/benchmark COMMIT`: the commit is that of the
code that made the run. Writes `one_shot_gears.tsv`, `one_shot_gears.md` and `one_shot_gears.svg`.
"""

import datetime
import sys
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

from scarceseq.files import read_table, write_table
from scarceseq.report import style
from scarceseq.report.forest import forest_figure
from scarceseq.report.wording import words
from scarceseq.selection.contrasts import ONE_SHOT, ROUNDS
from scarceseq.selection.verdicts import rounds_verdict
from scarceseq.statistics.outcomes import Outcome

COLUMNS = ["selector", "rounds", "predictor", "budget", "metric", "gain", "low", "high", "outcome", "splits", "seeds"]
METRICS = ["mse", "mse_top", "pearson_delta", "pearson_delta_perturbed_mean"]


def gains(contrasts, scores):
    """Gain of each selector against random choice, in percent of what random leaves to be gained.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`; budget is missing for the mean over budgets.
    """
    rows = contrasts[(contrasts["against"] == "random") & (contrasts["kind"] != "control")]
    rows = rows[(rows["scale"] == "raw") & rows["metric"].isin(METRICS)].copy()
    pool = scores["pool"].max()
    rows = rows[rows["budget"].isna() | (rows["budget"] < pool)]
    for column in ("difference", "low", "high"):
        rows[column] = (100 * rows[column] / rows["room"]).round(2)
    in_rounds = scores[scores["budget"] < scores["pool"]].groupby("selector")["round"].max() > 0
    seeds = scores.groupby("predictor")["model_seed"].nunique()
    rows["rounds"] = rows["selector"].map(in_rounds).map({True: "yes", False: "no"})
    rows["seeds"] = rows["predictor"].map(seeds)
    rows = rows.rename(columns={"difference": "gain"})[COLUMNS].astype({"budget": "Int32"})
    return rows.sort_values(["predictor", "metric", "budget", "gain"], ascending=[True, True, True, False])


def answer(contrasts):
    """The first sentence of the page: the paper's question, for GEARS, by the two planned selectors in one shot."""
    asked = contrasts[(contrasts["kind"] == "rounds") & (contrasts["against"] == ROUNDS)]
    asked = asked[asked["metric"] == "mse"]
    asked = asked[(asked["predictor"] == "gears") & (asked["scale"] == "raw") & (asked["quantity"] == "area")]
    verdicts = {Outcome(row.outcome) for row in asked.itertuples() if row.selector in ONE_SHOT}
    say = {
        Outcome.BETTER: "Yes, and better: GEARS predicts more accurately from what one shot chose than from rounds.",
        Outcome.NO_DIFFERENCE: "Yes: GEARS trained on what one shot chose is as accurate as on what rounds chose.",
        Outcome.WORSE: "No: GEARS trained on what one shot chose is less accurate than on what rounds chose.",
    }
    unclear = "It cannot be told from this run whether one shot is as accurate as rounds."
    return say.get(verdicts.pop(), unclear) if len(verdicts) == 1 else unclear


def page(contrasts, table, scores, commit):
    """Markdown of the page."""
    splits, seeds = int(table["splits"].max()), int(table["seeds"].max())
    area = table[table["budget"].isna() & (table["metric"] == "mse")]
    budgets = sorted(scores.loc[scores["budget"] < scores["pool"], "budget"].unique())
    draws = scores.loc[scores["selector"] == "random", "draw"].nunique()
    lines = [
        "# Is one shot as accurate as rounds?",
        "",
        answer(contrasts),
        "",
        rounds_verdict(contrasts),
        "",
        "![Gain of each way of choosing against random choice, GEARS](one_shot_gears.svg)",
        "",
        "GEARS (mode `moments`) and, beside it, the kernel ridge `mean_kernel` were trained on the cells of",
        f"{', '.join(map(str, budgets))} chosen perturbations of a pool of {scores['pool'].max()}, and judged on",
        f"{scores['test'].max()} others: {splits} splits, {seeds} seeds of GEARS in each, {draws} random choices.",
        "The screen is generated (440 perturbations, some 800 readout genes, strong effects), the graph is its noisy",
        "annotation. World and settings of GEARS were fixed on one of another seed before any selector was compared.",
        "V-optimal choice and herding know the names of the perturbations to be predicted; the others do not. In",
        "rounds 40 are chosen at random, then three times 40 by GEARS trained on the cells measured. IterPert fuses",
        "the annotation and the co-expression of the generated archive; profiles of other screens are not at hand.",
        "",
        "Gain: area under the squared-error curve saved against random choice, in percent of what random leaves to be",
        "gained. As accurate: the interval lies within 5 % of what rounds leave to be gained.",
        "",
        "| selector | in rounds | GEARS | kernel ridge |",
        "|---|---|---|---|",
    ]
    wide = {name: area[area["predictor"] == name].set_index("selector") for name in ("gears", "mean_kernel")}
    for selector in wide["gears"].sort_values("gain", ascending=False).index:
        cells = [
            f"{row['gain']:+.1f} ({row['low']:+.1f} to {row['high']:+.1f})"
            for row in (wide[name].loc[selector] for name in ("gears", "mean_kernel"))
        ]
        lines.append(f"| {words(selector)} | {wide['gears'].loc[selector, 'rounds']} | {cells[0]} | {cells[1]} |")
    error = scores[(scores["metric"] == "mse") & (scores["budget"] == scores["pool"])].groupby("predictor")
    share = (error["value"].mean() / error["floor"].mean()).round(2)
    lines += [
        "",
        f"Trained on the whole pool, GEARS has {share['gears']:.2f} of the squared error of the training mean, the",
        f"ridge {share['mean_kernel']:.2f}. This is one generated screen: its intervals tell nothing of others.",
        "",
        f"Made by `config/benchmark_one_shot.yaml` at commit {commit}, kept on {datetime.date.today():%-d %B %Y} by",
        "`benchmarks/tools/keep_one_shot.py`; the tables are made again by",
        "`snakemake --cores all --configfile config/benchmark_one_shot.yaml`.",
        "On public screens it was not run: `config/one_shot_gears.yaml` has Norman, Replogle K562 and RPE1 ready.",
        "The ridge over more splits, with noise in the graph and a twin whose graph says nothing:",
        "[one_shot_ridge.md](one_shot_ridge.md).",
    ]
    return "\n".join(lines) + "\n"


def figure(table):
    """Forest of the gains for GEARS."""
    rows = table[table["budget"].isna() & (table["metric"] == "mse") & (table["predictor"] == "gears")]
    rows = rows.sort_values("gain", ascending=False).rename(columns={"gain": "difference"})
    names = [f"{words(row.selector)}{', in rounds' if row.rounds == 'yes' else ''}" for row in rows.itertuples()]
    return forest_figure(rows, names, "avoidable squared error of GEARS saved against random choice, %")


def main(results, folder, commit):
    selection, folder = Path(results, "selection"), Path(folder)
    contrasts = read_table(selection / "contrasts.tsv")
    scores = pd.read_parquet(selection / "scores.parquet")
    table = gains(contrasts, scores)
    write_table(table, folder / "one_shot_gears.tsv")
    (folder / "one_shot_gears.md").write_text(page(contrasts, table, scores, commit), encoding="utf-8")
    (folder / "one_shot_gears.svg").write_text(style.svg(figure(table), "one_shot_gears"), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Pool the runs on real studies over series: a table, a figure and a page.

`python benchmarks/tools/real_studies.py docs/benchmark COMMIT results/real_studies_mouse results/real_studies_human`,
when both configs have run; the commit is that of the code that made the runs. What is compared was written down before:
docs/benchmark/real_studies_protocol.md.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

import numpy as np
import pandas as pd
from real_studies_page import draw, page
from scarceseq.files import atomic, read_table, write_table
from scarceseq.report import style
from scarceseq.statistics.pooling import pool, series_table
from scipy import stats

LABELS = Path(__file__).parents[2] / "docs" / "benchmark" / "real_studies_labels.tsv"
REFERENCE, CHAMPION, BOTH = "ridge@logs", "champion", "2 and 3"
CHAMPION_OF_ALL = "champion_of_all"
GUIDES, GUIDED = ("guided@per_tensor", "guided@global"), "guided"
# Named in the protocol's amendment, after the first results: `champion` is none of them.
ADDED = ("ridge@whitened", "nearest_centroid@whitened", "ridge@study_components", "average@logs")
COLUMNS = [
    *["organism", "k", "method", "against", "difference", "low", "high", "series", "outcome", "kind", "tasks"],
    *["series_needed", "zero_series", "random_effects", "random_low", "random_high", "fold_low", "fold_high"],
    *["seeds", "seed_low", "seed_high"],
]
SMALLEST_RATE, LARGEST_RATE = 0.00001, 0.1  # of the configs
SIMULATIONS = 20_000


def controls(method):
    """What a guided method is compared with beside the reference."""
    guide = method.partition("@")[2]
    return [f"{control}@{guide}" for control in ("mean_rate", "tensor_mean_rate")]


def read_run(folder, series_of):
    """Balanced accuracy of each test episode (organism, task, k, fold, series, seed, episode, method), and tuning."""
    organism = Path(folder).name.rpartition("_")[2]
    scores = read_table(f"{folder}/fewshot/scores.parquet")
    scores = scores[scores["metric"] == "balanced_accuracy"].rename(columns={"shot": "k"})
    places = scores["task"].str.rsplit("_", n=1, expand=True)
    label, fold = places[0], places[1]
    scores = scores.assign(organism=organism, label=label, fold=organism + " " + fold)
    scores["series"] = organism + " " + scores["study"].map(series_of)
    scores["task"] = scores["study"] + " " + label
    tuned = read_table(f"{folder}/fewshot/tuning.tsv").rename(columns={"shot": "k"})
    tuned[["label", "fold"]] = tuned["task"].str.rsplit("_", n=1, expand=True)
    return scores, tuned.assign(fold=organism + " " + tuned["fold"])


def champions(tuned, without=()):
    """Method that did best on the validation series of each fold, by fold; some methods are not eligible."""
    of_interest = tuned[tuned["label"].str.startswith("biological") & tuned["k"].isin([2, 3])]
    of_interest = of_interest[~of_interest["method"].isin(without)]
    means = of_interest.groupby(["fold", "method"], sort=False)["validation_accuracy"].mean()
    best = {fold: part.droplevel("fold").idxmax() for fold, part in means.groupby("fold")}
    return pd.Series(best, name="method")


def at_the_edge(tuned):
    """How often guide and control chose the smallest and the largest learning rate: method, smallest, largest, fits."""
    chosen = tuned[(tuned["label"] == GUIDED) & (tuned["steps"] > 0)]
    rates = chosen["candidate"].astype(float)
    table = chosen.assign(smallest=rates == SMALLEST_RATE, largest=rates == LARGEST_RATE)
    table = table[table["method"].isin(["guided@per_tensor", "mean_rate@per_tensor"])].groupby("method")
    return table.agg(smallest=("smallest", "sum"), largest=("largest", "sum"), fits=("seed", "size"))


def with_champion(scores, best, name=CHAMPION):
    """The scores, and those of each fold's champion under a name of its own."""
    of_champion = scores[scores["method"] == scores["fold"].map(best)]
    return pd.concat([scores, of_champion.assign(method=name)], ignore_index=True)


def differences(scores, method, against):
    """Paired differences of episodes and seeds; a method that sees no network goes with every seed of the other."""
    keys = ["fold", "series", "task", "k", "episode", "seed"]
    one, two = (scores[scores["method"] == name][[*keys, "value"]] for name in (method, against))
    few = min((one, two), key=lambda table: table["seed"].nunique())
    on = keys if one["seed"].nunique() == two["seed"].nunique() else keys[:-1]
    if on is not keys:
        one, two = (table.drop(columns="seed") if table is few else table for table in (one, two))
    joined = one.merge(two, on=on, suffixes=("", "_other"), validate="one_to_one" if on is keys else None)
    return joined.assign(value=joined["value"] - joined["value_other"], task=joined["task"] + joined["k"].astype(str))


def seeds_of_all(table):
    """The differences with the seeds that every series has."""
    seeds = table.groupby("series")["seed"].unique()
    return table[table["seed"].isin(set.intersection(*map(set, seeds)))]


def spread(table):
    """Least and largest pooled difference of a single seed."""
    of_seeds = series_table(table).mean()
    return len(of_seeds), float(of_seeds.min()), float(of_seeds.max())


def comparisons(methods):
    """(method, against, kind) of all comparisons, those that the protocol calls primary first."""
    primary = [("guided@per_tensor", other) for other in [*controls("guided@per_tensor"), REFERENCE]]
    primary.append((CHAMPION, REFERENCE))
    network = ["full_fine_tuning", "linear_probe", "logistic@embedding"]
    secondary = [(guide, other) for guide in GUIDES for other in [*controls(guide), *network]]
    secondary += [(method, REFERENCE) for method in methods if method != REFERENCE]
    rows = [(*pair, "primary") for pair in primary] + [
        (*pair, "secondary") for pair in secondary if pair not in primary
    ]
    return [row for row in rows if {row[0], row[1]} <= set(methods)]


def pooled(scores, methods, compared=comparisons):
    """The table: each comparison, what `compared` makes of the methods, by organism and k."""
    rows, organisms = [], sorted(scores["organism"].unique())
    for organism in [*organisms, "both"][: len(organisms) + (len(organisms) > 1)]:
        of_organism = scores if organism == "both" else scores[scores["organism"] == organism]
        shots = sorted(scores["k"].unique())
        for k in [BOTH, *shots] if {2, 3} <= set(shots) else shots:
            of_k = of_organism[of_organism["k"].isin([2, 3] if k == BOTH else [k])]
            for method, against, kind in compared(methods):
                table = differences(of_k, method, against)
                if table["series"].str.split().str[0].nunique() < (len(organisms) if organism == "both" else 1):
                    continue
                table = seeds_of_all(table)
                result = pool(table)
                rows.append(
                    dict(organism=organism, k=str(k), method=method, against=against, difference=result.difference)
                    | dict(low=result.low, high=result.high, series=result.series, outcome=str(result.outcome))
                    | dict(kind=kind if k == BOTH or len(shots) == 1 else "secondary", tasks=table["task"].nunique())
                    | dict(series_needed=result.series_needed, zero_series=result.zero_series)
                    | dict(zip(COLUMNS[-8:-5], result.random_effects, strict=True))
                    | dict(zip(COLUMNS[-5:-3], result.without_fold, strict=True))
                    | dict(zip(COLUMNS[-3:], spread(table), strict=True))
                )
    return pd.DataFrame(rows, columns=COLUMNS)


def means(scores):
    """Mean balanced accuracy of each method over series, by organism, kind of label and k."""
    kind = scores["label"].str.partition("_")[0]
    keys = ["organism", "kind", "k", "method"]
    of_tasks = scores.assign(kind=kind).groupby([*keys, "series", "task"])["value"].mean()
    of_series = of_tasks.groupby([*keys, "series"]).mean()
    return of_series.groupby(keys).agg(balanced_accuracy="mean", series="size").reset_index()


def coverage(series, fold_share):
    """How often the 95 % interval of `series` means holds the truth, if the five folds' models share a part.

    `fold_share` is the share of the variance between series that those of one fold have in common.
    """
    generator, fold = np.random.default_rng(1), np.arange(series) % 5
    values = np.sqrt(1 - fold_share) * generator.normal(size=(SIMULATIONS, series))
    values += np.sqrt(fold_share) * generator.normal(size=(SIMULATIONS, 5))[:, fold]
    half = stats.t.ppf(0.975, series - 1) * values.std(axis=1, ddof=1) / np.sqrt(series)
    return float((np.abs(values.mean(axis=1)) <= half).mean())


def minutes(run):
    """Processor time of all jobs of a run, in minutes."""
    files = Path(run, "benchmarks").rglob("*.tsv")
    return sum(pd.read_csv(file, sep="\t")["cpu_time"].sum() for file in files) / 60


def main(folder, commit, *runs):
    """Write the tables, the figure and the page."""
    series_of = pd.read_csv(LABELS, sep="\t", dtype=str).dropna(subset="study").drop_duplicates("study")
    series_of = series_of.set_index("study")["series"]
    read = [read_run(run, series_of) for run in runs]
    scores, tuned = (pd.concat(tables, ignore_index=True) for tables in zip(*read, strict=True))
    best = champions(tuned, ADDED)
    guided, scores = (part for _, part in sorted(scores.groupby(scores["label"] != GUIDED)))
    scores = with_champion(scores, best)
    if scores["method"].isin(ADDED).any():
        scores = with_champion(scores, champions(tuned), CHAMPION_OF_ALL)
    biological = scores[scores["label"].str.startswith("biological")]
    tables = [pooled(part, list(dict.fromkeys(part["method"]))) for part in (guided, biological)]
    table, accuracy = pd.concat(tables, ignore_index=True), means(pd.concat([guided, scores]))
    folder = Path(folder)
    write_table(table.round(4), folder / "real_studies.tsv")
    write_table(accuracy.round(4), folder / "real_studies_means.tsv")
    with atomic(folder / "real_studies.svg") as path:
        Path(path).write_text(style.svg(draw(table, REFERENCE, BOTH), "real_studies"))
    cost = {Path(run).name.rpartition("_")[2]: minutes(run) for run in runs}
    covered = {share: coverage(biological["series"].nunique(), share) for share in (0.0, 0.1, 0.3)}
    with atomic(folder / "real_studies.md") as path:
        Path(path).write_text(page(table, accuracy, best, covered, commit, at_the_edge(tuned), cost, ADDED))


if __name__ == "__main__":
    main(*sys.argv[1:])

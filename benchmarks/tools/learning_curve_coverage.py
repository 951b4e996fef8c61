"""Whether learning curves of small studies foretell what a larger study reaches: coverage of their 90 % intervals.

A large study is one of ``studies`` with counts, 24 samples or more, and a column of labels of which two classes have 12
samples each; its two largest classes are taken. From it smaller ones are drawn, of just under half the samples of each
class. `learning_curve` sees a small one alone; what it says of up to twice its size is held against the large study:
the mean over draws of that size, and each of these draws. Writes a table, a line for each small study and size, and
what it comes to by study, which the report reads:

    .venv/bin/python benchmarks/tools/learning_curve_coverage.py docs/benchmark/learning_curve.tsv
"""

import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

from scarceseq.files import write_table
from scarceseq.own_study.curve_evidence import EVIDENCE
from scarceseq.own_study.learning_curve import DRAWS, learning_curve, one_draw, summarise_curve
from scarceseq.own_study.settings import FoldSettings, OwnStudySection
from scarceseq.own_study.training_set import study_values
from scarceseq.own_study.unfinished import Unfinished
from scarceseq.seeds import derive

LEAST_SAMPLES, LEAST_OF_A_CLASS, SMALL_STUDIES = 24, 12, 5
CANDIDATES = [
    name
    for name in OwnStudySection(counts="", label="x", gene_id_type="symbol").best_candidates
    if "gene_sets" not in name
]


def tasks(folder):
    """(study, column, counts, samples) of each task; of columns that divide the samples alike, the first."""
    catalogue = pd.read_csv(folder / "CATALOGUE.tsv", sep="\t")
    large = catalogue[catalogue["unit"].str.startswith("counts") & (catalogue["samples"] >= LEAST_SAMPLES)]
    for row in large.itertuples():
        labels = pd.read_csv(folder / row.organism / row.study_id / "samples.tsv", sep="\t", dtype=str)
        counts, seen = None, set()
        for column in labels.columns.drop("sample"):
            sizes = labels[column].value_counts().sort_index().sort_values(ascending=False, kind="stable")
            if len(sizes) < 2 or sizes.iloc[1] < LEAST_OF_A_CLASS:
                continue
            chosen = labels[labels[column].isin(sizes.index[:2])]
            divided = frozenset(frozenset(rows) for rows in chosen.groupby(column)["sample"].agg(tuple))
            if divided in seen:
                continue
            seen.add(divided)
            if counts is None:
                counts = pd.read_csv(folder / row.organism / row.study_id / "expr.tsv.gz", sep="\t", index_col=0)
            chosen = chosen[chosen["sample"].isin(counts.columns)]
            samples = pd.DataFrame({"sample": chosen["sample"], "label": chosen[column], "group": chosen["sample"]})
            values = counts[chosen["sample"]].to_numpy(float).round()
            yield row.study_id, column, values, samples.assign(held_out=False).reset_index(drop=True)


def reached(values, samples, sizes):
    """Balanced accuracy of each draw of each size from the large study, (sizes, draws)."""
    groups = samples.groupby("label")["group"].agg(list)
    given = CANDIDATES, FoldSettings()
    return np.array(
        [
            [
                one_draw(values, samples, groups, size, *given, derive(2, "reached", size, draw))[0]
                for draw in range(DRAWS)
            ]
            for size in sizes
        ]
    )


def one_task(counts, samples):
    """A line for each small study and size ahead of it."""
    least = int(samples["label"].value_counts().min())
    per_class = (least - 2) // 2
    tables, truth = [], {}
    whole = study_values(counts)
    for number in range(SMALL_STUDIES):
        generator = np.random.default_rng(derive(1, "small study", number))
        drawn = (
            samples.groupby("label")["sample"]
            .agg(list)
            .map(
                lambda names: generator.choice(names, per_class, replace=False).tolist()  # noqa: B023
            )
        )
        inside = samples["sample"].isin(drawn.sum()).to_numpy()
        small = samples[inside].reset_index(drop=True)
        with tempfile.TemporaryDirectory() as folder:
            unfinished = Unfinished(Path(folder) / "draws.json", "")
            draws = learning_curve(study_values(counts[:, inside]), small, CANDIDATES, FoldSettings(), 1, unfinished)
        curve = summarise_curve(draws, 1)
        curve = curve[~curve["observed"] & (curve["groups_per_class"] <= least - 2)]
        for size in curve["groups_per_class"]:
            if size not in truth:
                truth[size] = reached(whole, samples, [size])[0]
        said = curve[["groups_per_class", "balanced_accuracy", "low", "high"]].reset_index(drop=True)
        means = said["groups_per_class"].map({size: values.mean() for size, values in truth.items()})
        inside_share = [
            float(
                (
                    (truth[row.groups_per_class] >= row.low - 1e-9) & (truth[row.groups_per_class] <= row.high + 1e-9)
                ).mean()
            )
            for row in said.itertuples()
        ]
        covered = (means >= said["low"] - 1e-9) & (means <= said["high"] + 1e-9)
        about = {"small_study": number, "small_groups_per_class": per_class, "reached": means, "covered": covered}
        tables.append(said.assign(**about, share_of_draws_inside=inside_share))
    return pd.concat(tables, ignore_index=True)


def by_study(table):
    """A line for each study, as `read_curve_evidence` gives them."""
    table = table.assign(width=table["high"] - table["low"])
    grouped = table.groupby("study")
    columns = {"labels": grouped["label"].nunique(), "cases": grouped.size(), "covered": grouped["covered"].mean()}
    return pd.DataFrame(columns | {"width": grouped["width"].mean()}).round(4).reset_index()


def main(path):
    """Run all tasks, write the table as it grows, and print what it comes to."""
    folder = Path(os.environ.get("SCARCESEQ_SHARED_DATA", Path(__file__).parents[3] / "shared/data")) / "studies"
    tables = []
    for study, column, counts, samples in tasks(folder):
        table = one_task(counts, samples)
        table.insert(0, "study", study)
        table.insert(1, "label", column)
        tables.append(table)
        write_table(pd.concat(tables).round(4), path, sealed=False)
        print(study, column, len(samples), f"{table['covered'].mean():.2f} covered", flush=True)
    whole = pd.concat(tables)
    write_table(by_study(whole), EVIDENCE, sealed=False)
    print(by_study(whole).to_string())


if __name__ == "__main__":
    main(sys.argv[1])

"""The best classifier, chosen within folds, against the fixed one that is best on other series, on real studies.

Every column of labels of the studies in ``studies/LABELS.tsv`` (counts, two classes of three samples or more) is
predicted by cross-validation, three repeats. No choice is made with a study's own results: the fixed classifier is the
one with the highest mean balanced accuracy over all other series (laboratory, paper or mission). Writes a table, a line
for each task:

    .venv/bin/python benchmarks/tools/own_study_methods.py docs/benchmark/own_study.tsv
"""

import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

from scarceseq.fewshot.metrics import measure
from scarceseq.own_study.names import AVERAGE, BEST
from scarceseq.own_study.nested import nested_predictions
from scarceseq.own_study.settings import FoldSettings
from scarceseq.own_study.training_set import study_values

CLASSIFIERS = [
    "logistic@top_genes",
    "nearest_centroid@top_genes",
    "linear_svm@all_genes",
    "shrunken_centroids@all_genes",
]
NO_LABELS = {"study_id", "sample", "organism", "unit", "zt", "series"}
REPEATS, LEAST_OF_A_CLASS, LEAST_SAMPLES = 3, 3, 6


def tasks(folder):
    """(study, column, series, counts, samples) of each task."""
    labels = pd.read_csv(folder / "LABELS.tsv", sep="\t", dtype=str)
    for study, rows in labels[labels["unit"] == "counts"].groupby("study_id"):
        path = folder / rows["organism"].iloc[0] / study / "expr.tsv.gz"
        counts = pd.read_csv(path, sep="\t", index_col=0)
        for column in [name for name in rows if name not in NO_LABELS]:
            sizes = rows[column].value_counts()
            chosen = rows[
                rows[column].isin(sizes.index[sizes >= LEAST_OF_A_CLASS]) & rows["sample"].isin(counts.columns)
            ]
            if chosen[column].nunique() < 2 or len(chosen) < LEAST_SAMPLES:
                continue
            samples = pd.DataFrame({"sample": chosen["sample"], "label": chosen[column], "group": chosen["sample"]})
            values = counts[chosen["sample"]].to_numpy(float).round()
            if not np.isnan(values).any():
                yield study, column, chosen["series"].iloc[0], values, samples.assign(held_out=False)


def accuracies(values, samples):
    """Mean balanced accuracy of each method over repeats."""
    given = study_values(values), samples.reset_index(drop=True), CLASSIFIERS, FoldSettings()
    told = pd.concat([nested_predictions(*given, repeat, 1) for repeat in range(REPEATS)])
    return measure(told, ["method", "repeat"]).groupby("method")["balanced_accuracy"].mean()


def best_elsewhere(table):
    """Of each task, the classifier with the highest mean over the tasks of other series."""
    return [table.loc[table["series"] != series, [*CLASSIFIERS, AVERAGE]].mean().idxmax() for series in table["series"]]


def main(path):
    """Run all tasks, write the table and print its means."""
    folder = Path(os.environ.get("SCARCESEQ_SHARED_DATA", Path(__file__).parents[3] / "shared/data")) / "studies"
    rows = []
    for study, column, series, values, samples in tasks(folder):
        found = accuracies(values, samples)
        row = {"study": study, "label": column, "series": series, "samples": len(samples)}
        rows.append(row | {name: found[name] for name in (BEST, *CLASSIFIERS, AVERAGE)})
        print(study, column, f"{found[BEST]:.3f}", flush=True)
    table = pd.DataFrame(rows)
    table["best_elsewhere"] = best_elsewhere(table)
    table["of_best_elsewhere"] = [row[row["best_elsewhere"]] for _, row in table.iterrows()]
    table.round(4).to_csv(path, sep="\t", index=False)
    print(table[[BEST, "of_best_elsewhere", *CLASSIFIERS, AVERAGE]].mean().round(3).to_string())


if __name__ == "__main__":
    main(sys.argv[1])

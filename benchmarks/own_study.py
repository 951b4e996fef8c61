"""A user's own study of 22 samples: the whole answer, 99 permutations of every choice included.

Bars, in processor seconds of one core: `config/my_study.yaml` as shipped, with its model, from the user's files to the
report in under 180 s; the first answer (best classifier and every sample, no permutation yet) in 40 s. Both hold all
that Snakemake and Python take to start. The nested choice must give the probabilities of plain scikit-learn on the same
folds (pipelines fitted one by one), which is also timed. With `--quick` a made-up study, no model and 19 permutations,
against a tenth of both bars.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

from scarceseq.own_study.candidates import MARGINS, STRENGTHS, TOP_GENES
from scarceseq.own_study.choice import choose, probabilities_of
from scarceseq.own_study.differential import design_matrix, expressed, log_cpm, moderated
from scarceseq.own_study.folds import divided, inner_divided
from scarceseq.own_study.nested import nested_predictions
from scarceseq.own_study.permutation import permutation_scores
from scarceseq.own_study.settings import FoldSettings
from scarceseq.own_study.training_set import study_values
from scarceseq.own_study.unfinished import Unfinished
from scarceseq.seeds import derive

REPOSITORY = Path(__file__).parents[1]
BARS = {"whole": 180.0, "first_answer": 40.0}
COMPARED = ["logistic@top_genes", "linear_svm@all_genes"]
DEFAULT = ["logistic@top_genes", "nearest_centroid@top_genes", "linear_svm@all_genes", "shrunken_centroids@all_genes"]
LARGEST_DIFFERENCE = 1e-3


def made_up(samples, genes, seed=1):
    """Counts (genes, samples), overdispersed, 50 genes twice as high in one class of two; samples."""
    generator = np.random.default_rng(seed)
    labels = np.array(["control", "treated"])[np.arange(samples) % 2]
    means = np.exp(generator.normal(3, 2, genes))[:, None] * np.ones(samples)
    means[:50, labels == "treated"] *= 2
    counts = generator.poisson(means * generator.gamma(5, 1 / 5, means.shape)).astype(float)
    table = pd.DataFrame({"sample": [f"s{place:02d}" for place in range(samples)], "label": labels})
    return counts, table.assign(group=table["sample"], block="", held_out=False)


def plain_scores(counts, samples, train, test):
    """Scores of `COMPARED` by scikit-learn, one fit for each setting."""
    labels = samples["label"].iloc[train].to_numpy()
    logs = log_cpm(counts)[expressed(counts[:, train], labels)]
    fitted = moderated(logs[:, train], design_matrix(samples.iloc[train], sorted(set(labels)), False), [1])
    order = np.argsort(-(fitted["statistic"] ** 2), kind="stable")
    logistic, machines = [], []
    for genes in TOP_GENES:
        top = order[:genes]
        values = (logs[top].T - logs[top][:, train].mean(axis=1)) / np.sqrt(fitted["variance"][top] * len(top))
        for strength in STRENGTHS:
            machine = LogisticRegression(C=strength, class_weight="balanced", tol=1e-9, max_iter=10_000)
            odds = machine.fit(values[train], labels).decision_function(values[test])
            logistic.append(np.stack([-odds / 2, odds / 2], axis=1))
    centred = logs.T - logs[:, train].mean(axis=1)
    centred /= np.sqrt((centred[train] ** 2).sum(axis=1).mean())
    for margin in MARGINS:
        odds = SVC(kernel="linear", C=margin, class_weight="balanced").fit(centred[train], labels)
        odds = odds.decision_function(centred[test])
        machines.append(np.stack([-odds, odds], axis=1))
    return {"logistic@top_genes": np.stack(logistic), "linear_svm@all_genes": np.stack(machines)}


def plain_nested(counts, samples, settings, seed):
    """Probability of the second class by the best classifier, by plain loops."""
    told = np.empty(len(samples))
    for fold, (train, test) in enumerate(divided(samples, settings.folds, derive(seed, "folds", 0))):
        codes = pd.factorize(samples["label"].iloc[train], sort=True)[0]
        outer, inner = plain_scores(counts, samples, train, test), {}
        pairs = inner_divided(samples.iloc[train], settings.inner_folds, derive(seed, "inner folds", 0, fold))
        for within, left in pairs:
            for name, scores in plain_scores(counts, samples, train[within], train[left]).items():
                inner.setdefault(name, np.empty((len(scores), len(train), 2)))[:, left] = scores
        choice = choose(inner, codes)
        told[test] = probabilities_of(choice, outer, len(train))[choice.name][:, 1]
    return told


def compare(samples, genes):
    """Largest difference from plain scikit-learn, and processor seconds of both."""
    counts, table = made_up(samples, genes)
    settings, begin = FoldSettings(), time.process_time()
    found = nested_predictions(study_values(counts), table, COMPARED, settings, 0, 1)
    middle = time.process_time()
    plain = plain_nested(counts, table, settings, 1)
    end = time.process_time()
    mine = found[found["method"] == "best"].set_index("sample").loc[table["sample"], "p_1"]
    return float(np.abs(mine - plain).max()), middle - begin, end - middle


def children_seconds():
    """Processor seconds of all processes that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(folder, data, *arguments):
    """Processor seconds of a run of Snakemake in `folder`."""
    before = children_seconds()
    command = [str(Path(sys.executable).with_name("snakemake")), "--cores", "1", "--directory", folder]
    command += ["--snakefile", str(REPOSITORY / "Snakefile"), *arguments, "--config", f"data={data}"]
    subprocess.run(command, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True)
    return children_seconds() - before


def whole_runs(data):
    """Processor seconds to the first answer and to the report, by the shipped config."""
    with tempfile.TemporaryDirectory() as folder:
        config = str(REPOSITORY / "config/my_study.yaml")
        Path(folder, "models").symlink_to(REPOSITORY / "models")
        first = run(folder, data, "results/my_study/own_study/samples.tsv", "--configfile", config)
        rest = run(folder, data, "--configfile", config)
        permuted = pd.read_csv(Path(folder, "results/my_study/own_study/permutations.tsv"), sep="\t")
        summary = json.loads(Path(folder, "results/my_study/own_study/summary.json").read_text())
    return {"first_answer": first, "whole": first + rest}, len(permuted) - 1, summary["answer"]


def quick_run():
    """Processor seconds of a made-up study's choice and 19 permutations, by the entry points of the rules."""
    counts, table = made_up(22, 4000)
    begin, values = time.process_time(), study_values(counts)
    with tempfile.TemporaryDirectory() as folder:
        nested_predictions(values, table, DEFAULT, FoldSettings(), 0, 1)
        first = time.process_time() - begin
        unfinished = Unfinished(Path(folder, "unfinished.json"), "benchmark")
        scores = permutation_scores(values, table, DEFAULT, FoldSettings(), 19, 1, unfinished)
    return {"first_answer": first, "whole": time.process_time() - begin}, len(scores) - 1, []


def main():
    """Measure, print a table and the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    data = Path(os.environ.get("SCARCESEQ_SHARED_DATA", REPOSITORY.parent / "shared/data")).resolve()
    seconds, permutations, answer = quick_run() if arguments.quick else whole_runs(data)
    difference, ours, plain = compare(22, 4000 if arguments.quick else 20_000)
    equal = difference < LARGEST_DIFFERENCE and permutations == (19 if arguments.quick else 99)
    bars = {name: bar / (10 if arguments.quick else 1) for name, bar in BARS.items()}
    for name, bar in bars.items():
        print(f"{name:>14}: {seconds[name]:6.1f} s of one core, bar {bar:.0f} s")
    print(f"one nested choice of {len(COMPARED)} classifiers: {ours:.2f} s, plain scikit-learn {plain:.2f} s")
    print(f"largest difference of a probability from plain scikit-learn: {difference:.1e}")
    print(*answer, sep="\n")
    ratio = min(bar / seconds[name] for name, bar in bars.items())
    detail = seconds | {"permutations": permutations, "difference": difference, "nested": ours, "plain": plain}
    result = {"name": "own_study", "ratio": ratio, "target": 1, "equal": equal, "device": "cpu", "detail": detail}
    print(json.dumps(result))
    return 0 if ratio >= 1 and equal else 1


if __name__ == "__main__":
    sys.exit(main())

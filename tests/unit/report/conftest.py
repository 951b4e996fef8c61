"""A small made-up run: every table that the report reads, in the form in which the stages write it."""

import json
import shutil
from itertools import product
from types import SimpleNamespace

import anndata
import numpy as np
import pandas as pd
import pytest
from report_labels import LABELS
from scarceseq.files import write_json, write_table
from scarceseq.perturbation import calibration, evaluate, metric_table, strata, summary, transfer_summary
from scarceseq.perturbation.metrics import METRICS
from scarceseq.pretrain.comparison import classification as comparison
from scarceseq.pretrain.comparison import contrasts
from scarceseq.pretrain.embedding import write_embedding
from scarceseq.report import page
from scarceseq.report.sections import build, head
from scarceseq.selection.contrasts import contrast
from scarceseq.selection.scores import SCORES, per_split, summarise, with_areas
from scarceseq.selection.worth import worth

STUDIES = ["SRP1", "SRP2", "SRP3", "SRP4"]
ROLES = ["pretrain", "scout", "validation", "test"]
TENSORS = ["encoder.input.weight", "encoder.hidden.weight"]


@pytest.fixture
def settings():
    """Config of the made-up run."""
    return make_settings()


@pytest.fixture(scope="session")
def whole_settings():
    """Config of the made-up run, for tests that only look."""
    return make_settings()


@pytest.fixture(scope="session")
def whole_run(tmp_path_factory):
    """A folder that holds the made-up run, and its inputs by name, for tests that only look."""
    folder = tmp_path_factory.mktemp("rendered")
    return folder, make_run(folder / "run")


@pytest.fixture(scope="session")
def rendered(whole_run):
    """A folder in which the whole made-up run was rendered once, for tests that only look."""
    (folder, named), settings = whole_run, make_settings()
    sections = build(named, LABELS, settings, folder / "run" / "benchmarks")
    top = head(settings, "abc123", "today")
    page.write(top, sections, folder / "report.html", folder / "figures", folder / "tables")
    return folder


def make_settings():
    return {
        "name": "small",
        "seed": 3,
        "archive": {"organism": "mouse"},
        "user_studies": {},
        "corpus": {},
        "pretrain": {"bases": {"mlp": {"seed": 1}}},
        "guide": {"schemes": {"pairs": {}}},
        "fewshot": {
            "methods": ["guided@global", "linear_probe", "scratch"],
            "tasks": {"tissue": {"label": "tissue", "protocol": "cross_study"}},
            "episodes": 8,
            "scoring": {"smallest_difference": 0.05, "confidence": 0.95},
        },
        "network": {"graphs": {}},
        "screens": {"demo": {"splits": 3}},
        "selection": {"selectors": ["random", "reach"], "screens": {"demo": {}}},
    }


@pytest.fixture
def run(whole_run, tmp_path):
    """Inputs of the report by name, for a run of all stages: a copy of the made-up run that a test may edit."""
    folder, named = whole_run
    shutil.copytree(folder / "run", tmp_path / "run")

    def copied(paths):
        return (
            [copied(path) for path in paths]
            if isinstance(paths, list)
            else paths.replace(str(folder), str(tmp_path), 1)
        )

    return {name: copied(paths) for name, paths in named.items()}


def make_run(folder):
    """Write all tables of the made-up run into a folder; their paths by name."""
    folder.mkdir()
    made = {}
    for make in (archive, corpus, pretrain, guide, fewshot, network, screen, perturbation, selection):
        made |= make(folder, np.random.default_rng(7))
    benchmarks(folder)
    return made


def archive(folder, _generator):
    studies = pd.DataFrame(
        {
            "organism": "mouse",
            "source": "sra",
            "project": [*STUDIES, "SRP8", "SRP9"],
            "runs": [7, 6, 7, 5, 9, 2],
            "batch": ["batch_0", "batch_0", "batch_1", "batch_1", "batch_1", None],
            "skip_reason": [None] * 5 + ["2 runs, fewer than 6"],
        }
    )
    write_table(studies, folder / "studies.tsv")
    paths = []
    for batch in ("batch_0", "batch_1"):
        path = folder / "batches" / batch / "manifest.jsonl"
        path.parent.mkdir(parents=True)
        with open(path, "w") as handle:
            for project in studies.loc[studies["batch"] == batch, "project"]:
                bad = project == "SRP8"
                line = {
                    "organism": "mouse",
                    "source": "sra",
                    "project": project,
                    "kind": "gene_sums",
                    "path": "x",
                    "url": "y",
                }
                line |= {"bytes": 1000, "sha256": "0", "rows": 12, "columns": 6}
                line |= {"status": "damaged", "detail": "gzip ends early"} if bad else {"status": "ok", "detail": ""}
                handle.write(json.dumps(line) + "\n")
        paths.append(str(path))
    return {"studies": str(folder / "studies.tsv"), "manifests": paths}


def corpus(folder, generator):
    rows = [(f"{study}.{index}", study) for study in STUDIES for index in range(5)]
    samples = pd.DataFrame(rows, columns=["sample", "study"])
    samples["organism"], samples["source"], samples["unit"] = "mouse", "sra", "base_coverage"
    samples["runs"] = [f"R{index}" if index % 10 else f"R{index},R{index}b" for index in range(len(samples))]
    samples["library_size"] = generator.integers(10**8, 10**10, len(samples))
    samples["genes_detected"] = generator.integers(9000, 15000, len(samples))
    samples["zero_fraction"] = generator.random(len(samples))
    dropped = pd.DataFrame(
        [
            ("SRP1", "X1", "few_mapped_reads", "10"),
            ("SRP2", "X2", "no_metadata", None),
            ("SRP3", "X3", "few_mapped_reads", "3"),
        ]
        + [("SRP8", f"Y{index}", "study_unusable", "gzip ends early") for index in range(9)]
        + [("SRP1", "Z1", "not_in_archive_table", None)],
        columns=["study", "run", "reason", "value"],
    )
    genes = pd.DataFrame(
        {"gene_id": [f"G{index}.1" for index in range(12)], "gene_name": [f"Gene{index}" for index in range(12)]}
    )
    attributes = pd.DataFrame({"sample": samples["sample"], "key": "tissue", "value": ["liver <b>&", "köln"] * 10})
    splits = pd.DataFrame({"split": "default", "study": STUDIES, "role": ROLES})
    np.save(folder / "training.npy", generator.random((20, 12)).astype(np.float16))
    tables = {"samples": samples, "dropped_runs": dropped, "genes": genes, "attributes": attributes, "splits": splits}
    return _written(folder, tables) | {"training": str(folder / "training.npy")}


def pretrain(folder, generator):
    place = folder / "pretrain" / "mlp"
    steps = np.arange(0, 101, 10)
    held_out = np.where(steps % 50 == 0, 1.1 - steps / 400, np.nan)
    history = pd.DataFrame({"step": steps, "train_loss": 1 - steps / 300, "validation_loss": held_out})
    for name in ("masked_expression", "labels"):
        history = history.assign(**{f"train_{name}": 0.5 - steps / 300, f"validation_{name}": held_out})
    rows = [
        ("test", study, predictor, error + generator.random() / 100, 5)
        for study in STUDIES
        for predictor, error in (("model", 0.5), ("gene_mean", 1.0), ("pca", 0.6))
    ]
    evaluation = pd.DataFrame(rows, columns=["split_role", "study", "predictor", "value", "samples"])
    evaluation.insert(2, "metric", "masked_mse")
    told = evaluation[evaluation["predictor"] == "model"].assign(metric="balanced_accuracy_tissue", value=0.75)
    evaluation = pd.concat([evaluation, told], ignore_index=True)
    write_table(history, place / "history.parquet")
    write_table(evaluation, place / "evaluation.tsv")
    return {
        "pretrain_history": [str(place / "history.parquet")],
        "pretrain_evaluation": [str(place / "evaluation.tsv")],
        **embeddings(place),
    }


def embeddings(place):
    values = dict.fromkeys(contrasts.RIVALS, 0.5) | {"embedding": 0.8, "majority": 0.3, "study_identity": 0.3}
    rows = [
        (method, seed, study, 0, fold, value + seed / 100, 40, 5, "")
        for method, value in values.items()
        for seed in ((1, 2) if method in ("embedding", "random_encoder") else (1,))
        for fold, study in enumerate(STUDIES)
    ]
    scores = pd.DataFrame(rows, columns=comparison.COLUMNS)
    told = contrasts.contrast(scores, "cross_study", 0.95)
    write_table(scores, place / "comparison/tissue.parquet")
    text = contrasts.verdict(told, "mlp", "tissue", 500, False, 0.02)
    write_json({"contrasts": told, "verdict": text}, place / "comparison/tissue.json")
    table = pd.DataFrame({"study": ["a", "b"]}, index=["s1", "s2"])
    base = SimpleNamespace(information={"architecture": "mlp"})
    write_embedding(np.zeros((2, 3), np.float32), table, base, 0.9, place / "embeddings/mine.h5ad")
    return {
        "pretrain_scores": [str(place / "comparison/tissue.parquet")],
        "pretrain_contrasts": [str(place / "comparison/tissue.json")],
        "pretrain_embeddings": [str(place / "embeddings/mine.h5ad")],
    }


def guide(folder, generator):
    place = folder / "guide" / "mlp" / "pairs"
    tensor = {
        "weights": 100,
        "mean": 0.2,
        "quantiles": {"0.0": 0, "0.05": 0.01, "0.25": 0.1, "0.5": 0.2, "0.75": 0.3, "0.95": 0.6, "1.0": 1},
        "histogram": [60, 30, *[0] * 17, 10],
    }
    for name in ("per_tensor", "global"):
        write_json({"layers": dict.fromkeys(TENSORS, tensor)}, place / f"{name}.json")
    accuracy = pd.DataFrame(
        {
            "scout": range(6),
            "train_accuracy": 1.0,
            "held_out_accuracy": [1, 0.9, 0.8, 0.7, 0.5, 1],
            "kept": [True] * 5 + [False],
        }
    )
    write_table(accuracy, place / "accuracy.tsv")
    values = np.sort(generator.random(40))[::-1]
    mobility = pd.DataFrame(
        {
            "gene_id": [f"G{i}" for i in range(40)],
            "gene_name": [f"Gene{i}" for i in range(40)],
            "mobility": values,
            "rank": range(1, 41),
        }
    )
    write_table(mobility, place / "gene_mobility.tsv")
    return {
        "guide_json": [str(place / "global.json"), str(place / "per_tensor.json")],
        "scout_accuracy": [str(place / "accuracy.tsv")],
        "gene_mobility": [str(place / "gene_mobility.tsv")],
    }


def fewshot(folder, generator):
    methods = {"guided@global": 0.8, "linear_probe": 0.7, "scratch": 0.5}
    summary, ranks, curves = [], [], []
    for way, shot in (("3", 1), ("3", 5), ("all", 1)):
        cell = dict(base="mlp", task="tissue", way=way, shot=shot)
        for place, (method, mean) in enumerate(methods.items()):
            middle = mean + shot / 50 + generator.random() / 100
            found = dict(mean=middle, low=middle - 0.05, high=middle + 0.05, studies=12, episodes=40, seeds=5)
            found |= dict(method=method, interval="jackknife over query studies, t", status="run")
            summary += [cell | found | dict(metric=metric) for metric in ("balanced_accuracy", "log_loss")]
            ranks.append(
                cell
                | dict(method=method, mean_rank=1.0 + place, mean=middle, studies=12, methods=3)
                | dict(critical_difference=1.2, friedman_p=0.01)
            )
            curves += [
                cell | dict(method=method, steps=steps, balanced_accuracy=middle, log_loss=1 / steps, episodes=8)
                for steps in (1, 10, 100)
            ]
    missing = dict(base="mlp", method="scratch", task="treatment", way="2", shot=1, metric="balanced_accuracy")
    summary.append(missing | dict(studies=0, episodes=0, status="not run", reason="no two studies share a label"))
    cell = dict(base="mlp", task="tissue", way="3", studies=12, episodes=40, seeds=1, interval="jackknife", p=0.01)
    primary = dict(method="guided@global", against="linear_probe", difference=0.1, low=0.02, high=0.18, kind="primary")
    contrasts = [
        cell | primary | dict(shot=shot, metric=metric, p_holm=0.02)
        for shot in (1, 5)
        for metric in ("balanced_accuracy", "log_loss")
    ]
    other = dict(method="scratch", against="linear_probe", difference=-0.2, low=-0.3, high=-0.1, kind="secondary")
    contrasts.append(cell | other | dict(shot=1, metric="balanced_accuracy", p_holm=0.02))
    place = dict(base="mlp", task="tissue", way="3", shot=1, seed=1, candidates=6, validation_episodes=4)
    tuning = [
        place
        | dict(method=method, candidate=0.01, steps=30, validation_accuracy=0.8, calibration_error=0.1, diverged=0.0)
        for method in methods
    ]
    tables = dict(summary=summary, contrasts=contrasts, ranks=ranks, curves=curves, tuning=tuning)
    return _written(folder, {f"fewshot_{name}": pd.DataFrame(rows) for name, rows in tables.items()}, ".tsv")


def network(folder, generator):
    genes = [f"Gene{index}" for index in range(30)]
    edges = pd.DataFrame({"source": generator.choice(genes, 90), "target": generator.choice(genes, 90), "weight": 1.0})
    write_table(edges, folder / "network" / "annotation.parquet")
    write_json({"kind": "annotation", "nodes": 30, "edges": 90}, folder / "network" / "annotation.json")
    return {
        "graphs": [str(folder / "network/annotation.parquet")],
        "graph_json": [str(folder / "network/annotation.json")],
    }


def screen(folder, generator):
    place = folder / "screen" / "demo"
    place.mkdir(parents=True)
    names = [f"Gene{index}" for index in range(10)]
    obs = pd.DataFrame({"cells": generator.integers(20, 50, 10), "reliability": generator.random(10)}, index=names)
    data = anndata.AnnData(generator.normal(size=(10, 30)), obs=obs)
    data.uns["kind"] = "cells"
    data.write_h5ad(place / "pseudobulk.h5ad")
    rows = [(name, f"Gene{rank}", 3.0, -0.5 * rank, 0.001, 0.01, rank) for name in names for rank in range(1, 6)]
    columns = ["perturbation", "gene", "score", "log2_fold_change", "p_value", "adjusted_p_value", "rank"]
    write_table(pd.DataFrame(rows, columns=columns), place / "differential_genes.parquet")
    recognised = {"values": "counts", "perturbation_column": "condition", "control_label": "ctrl", "perturbations": 10}
    recognised |= {"labels": 12, "perturbations_without_gene": 1, "without_gene": ["Gene9"]}
    write_json(recognised, place / "cells.json")
    return {
        "screen_cells": [str(place / "cells.json")],
        "screen_pseudobulk": [str(place / "pseudobulk.h5ad")],
        "screen_genes": [str(place / "differential_genes.parquet")],
    }


def selection(folder, generator):
    """Made by the selection room's own functions, from made-up scores."""
    settings = SimpleNamespace(confidence=0.95, worthwhile_share=0.05)
    rows = []
    for selector, graph, better in (("random", "none", 0.0), ("reach@usage", "annotation", 0.05)):
        for predictor in ("graph_ridge", "training_mean"):
            for metric, first in (("mse", 1.0), ("pearson_delta", 0.2)):
                for split, draw, budget in product(range(4), range(2 if selector == "random" else 1), (10, 20, 40)):
                    slope = (-1 if metric == "mse" else 1) * (budget / 100 + better)
                    value = first + slope + 0.01 * generator.normal()
                    row = (
                        "demo",
                        graph,
                        selector,
                        predictor,
                        metric,
                        False,
                        40,
                        10,
                        split,
                        draw,
                        0,
                        0,
                        budget,
                        budget / 40,
                        value,
                    )
                    rows.append((*row, first, first - 0.8 if metric == "mse" else first + 0.7))
    values = with_areas(per_split(pd.DataFrame(rows, columns=SCORES)))
    tables = {"selection_summary": summarise(values, 0.95), "selection_contrasts": contrast(values, settings)}
    tables["selection_worth"] = worth(values, 0.95)
    about = {"screen": "demo", "selection_graph": "annotation", "selector": ["reach@usage", "bald"]}
    tables["selection_costs"] = pd.DataFrame(
        about | {"seconds": [0.5, 3.0], "cycles": [1, 5], "days": [40, 200], "model_fits": [0, 4]}
    )
    covered = {"nodes_reached": [0.4, 0.3], "usage_reached": [0.6, 0.5], "test_neighbours": [0.35, 0.3]}
    tables["selection_coverage"] = pd.DataFrame(about | {"pool": 40, "budget": 8} | covered)
    kept = {"change": ["seed", "edges rewired"], "share": [0.0, 0.3], "jaccard": [1.0, 0.4], "random": 0.11}
    tables["selection_stability"] = pd.DataFrame(
        about | {"selector": "reach@usage", "repeats": 3, "pool": 40, "budget": 8} | kept
    )
    return _written(folder, tables, ".tsv")


def perturbation(folder, generator):
    levels = {"mse": (0.7, 1, 0.2), "pearson_delta": (0.5, 0.1, 0.9), "wrong_direction": (0.2, 0.3, np.nan)}
    rows = [
        ("demo", predictor, source, False, 40, 10, split, metric, value + generator.random() / 20, "run", "")
        for predictor, source in (("training_mean", "none"), ("graph_ridge", "annotation"))
        for split in range(4)
        for metric, (value, _, _) in levels.items()
    ]
    missing = ("demo", "training_mean", "none", False, *[None] * 3, "cosine", None, "not defined", "on genes")
    table = pd.DataFrame([*rows, missing], columns=evaluate.COLUMNS)

    def bounds(floor, ceiling):
        return {"floor": floor, "ceiling": ceiling}

    controls = {"negative": 1.0, "positive": 0.4, "positive_second_half": 0.5, "wins": 0.9}
    limits = [
        ("demo", split, 40, 10, metric, kind, value)
        for split in range(4)
        for metric in METRICS
        for kind, value in (bounds(*levels.get(metric, (0, 0.5, 0.1))[1:]) | controls).items()
    ]
    calibrated = pd.DataFrame(limits, columns=calibration.COLUMNS)
    tables = {"perturbation_summary": summary.summarise(table, calibrated, 0.95)}
    tables["perturbation_metrics"] = metric_table.metric_table(calibrated, {"demo": "cells"}, 0.95)
    fixed = ("difficulty", "none", "resistant"), ("graph", "annotation", "near")
    rows = [
        ("demo", predictor, source, *where, 9, 0.8, 0.6, 1.0, 0.7, 4, "t")
        for source, predictor in (("none", "training_mean"), ("annotation", "graph_ridge"))
        for where in fixed
    ]
    tables["perturbation_strata"] = pd.DataFrame(rows, columns=strata.COLUMNS)
    about = {"transfer": "halves", "role": "judged", "pool": 40, "test": 10, "budget": 5, "metric": "mse"}
    rows = [
        about | {"split": split, "method": method, "learning_rate": 0.01, "value": 1 + 4 * generator.random()}
        for split in range(4)
        for method in transfer_summary.METHODS
    ]
    tables["perturbation_transfer"] = transfer_summary.summarise_transfer(pd.DataFrame(rows), 0.95)
    return _written(folder, tables, ".tsv")


def benchmarks(folder):
    for rule, jobs in {"fetch_batch": ["batch_0", "batch_1"], "pretrain": ["mlp"]}.items():
        (folder / "benchmarks" / rule).mkdir(parents=True)
        for job in jobs:
            text = "s\th:m:s\tmax_rss\tmean_load\tcpu_time\n2.5\t0:00:02\t100.5\t50\t1.25\n"
            (folder / "benchmarks" / rule / f"{job}.tsv").write_text(
                text if job != "batch_1" else text.replace("100.5", "-")
            )


def _written(folder, tables, suffix=".parquet"):
    paths = {}
    for name, table in tables.items():
        paths[name] = str(folder / f"{name}{suffix}")
        write_table(table, paths[name])
    return paths

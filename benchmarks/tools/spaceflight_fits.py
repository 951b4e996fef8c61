"""Predictions of left-out missions: classifiers of the package, and networks trained on the other missions alone."""

import itertools
from collections.abc import Iterable

import numpy as np
import pandas as pd
import torch
from scarceseq import registry
from scarceseq.fewshot.corpus import Episode
from scarceseq.fewshot.engine.fitting import Fitter
from scarceseq.fewshot.engine.rate_inputs import RateInputs
from scarceseq.fewshot.method import Candidate
from scarceseq.fewshot.settings import Candidates, FittingSettings
from scarceseq.guide.guides import check_scouts, make_guide
from scarceseq.guide.scout_data import ScoutSamples
from scarceseq.guide.scouts import train_block
from scarceseq.guide.settings import SchemeSettings
from scarceseq.pretrain.model import Base
from scarceseq.pretrain.settings import PretrainSettings
from scarceseq.pretrain.task import make_task
from scarceseq.pretrain.training import train
from scarceseq.seeds import derive
from spaceflight_tables import CONTROL, FLIGHT, NO_CLASS, Table, common_sets, with_classes, without

CLASSIFIERS = ("ridge", "logistic", "nearest_centroid", "linear_svm", "random_forest")
NETWORKS = ("scratch", "full_fine_tuning", "linear_probe", "guided", "mean_rate", "permuted")
DRAWN = ("random_forest", *NETWORKS)  # methods with seeds
SCOPES = ("tissue", "all")
FOREST_CANDIDATES = (0.05,)
RATES, STEPS = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1), 50
PRETRAINING = PretrainSettings(split="", steps=300, hidden_widths=[64], width=32, precision="float32")
SCOUTS = SchemeSettings(scheme="within_study", steps=30)
FEWEST, HELD_OUT_EVERY = 3, 3  # samples of a scout's class


def options(method: str) -> list[tuple[float, str]]:
    """(candidate, scope) that are compared."""
    if method in NETWORKS:
        return [(rate, "tissue") for rate in RATES]
    entry = registry.load("fewshot.classifiers", method)
    values = FOREST_CANDIDATES if method == "random_forest" else getattr(Candidates(), entry.CANDIDATES)
    return [(float(value), scope) for scope in SCOPES for value in values]


def asked_tables(tables: list[Table], left_out: "frozenset[str]", groups: Iterable[str]) -> list[Table]:
    """Tables of the groups that some table of the same tissue remains for, to train on."""
    tissues = {table.tissue for table in without(tables, left_out)}
    return [table for table in tables if table.group in groups and table.tissue in tissues]


def classify(
    method: str,
    tables: list[Table],
    left_out: "frozenset[str]",
    asked: list[Table],
    chosen: list[tuple[float, str]],
    seed: int,
) -> pd.DataFrame:
    """Predictions of the `asked` tables by a classifier that saw nothing of the groups left out; see `rows_of`."""
    training, found = without(tables, left_out), []
    entry = registry.load("fewshot.classifiers", method)
    sets = common_sets(training)
    for scope, tissue in itertools.product(dict.fromkeys(s for _, s in chosen), dict.fromkeys(t.tissue for t in asked)):
        queries = [table for table in asked if table.tissue == tissue or scope == "all"]
        support = [table for table in training if table.tissue == tissue or scope == "all"]
        if scope == "all" and tissue != asked[0].tissue:
            continue  # one model for all tissues
        values, classes = with_classes(support, sets)
        query, _ = with_classes(queries, sets)
        for candidate in (value for value, of_scope in chosen if of_scope == scope):
            drawn = derive(seed, method, *sorted(left_out), tissue)
            flight = entry.probabilities(values, classes, query, candidate, drawn)[:, FLIGHT]
            found.append(rows_of(queries, flight).assign(candidate=candidate, scope=scope))
    return pd.concat(found, ignore_index=True).assign(method=method, seed=seed)


def rows_of(queries: list[Table], flight: np.ndarray) -> pd.DataFrame:
    """One row per sample with a class: tissue, mission, group, table, sample, class, flight (its probability)."""
    named = [("tissue", "tissue"), ("mission", "mission"), ("group", "group"), ("table", "name")]
    tables = [
        pd.DataFrame({"sample": table.scores.index, "class": table.classes})[table.classes != NO_CLASS].assign(
            **{column: getattr(table, name) for column, name in named}
        )
        for table in queries
    ]
    return pd.concat(tables, ignore_index=True).assign(flight=np.nan_to_num(flight, nan=0.5))


def pretrained(training: list[Table], sets: list[str], seed: int) -> Base:
    """Network that learned to fill in hidden gene sets of the training tables, samples without a class included."""
    matrix = np.ascontiguousarray(np.concatenate([table.values(sets) for table in training]))
    mean, scale = torch.zeros(len(sets)), torch.ones(len(sets))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "initial weights"))
        network = registry.load("pretrain.architectures", "mlp").build(mean, scale, PRETRAINING.as_dictionary())
    information = {"architecture": "mlp", "settings": PRETRAINING.as_dictionary()}
    base, rows = Base(network, sets, mean, scale, information), np.arange(len(matrix))
    task = make_task(base, None, rows, PRETRAINING, seed)
    train(task, base, matrix, rows, rows[:0], PRETRAINING, seed)
    base.network.eval().requires_grad_(False)
    return base


def scout_tasks(training: list[Table], sets: list[str]) -> list[ScoutSamples]:
    """Flight against control and basal against control, within each training table."""
    tasks = []
    for table in training:
        values = torch.from_numpy(table.values(sets))
        control = np.flatnonzero(table.classes == CONTROL)
        for other in (np.flatnonzero(table.classes == FLIGHT), np.flatnonzero(table.basal)):
            if min(len(control), len(other)) < FEWEST:
                continue
            rows = np.concatenate([control, other])
            label = torch.from_numpy(np.repeat([0, 1], [len(control), len(other)]))
            held = np.concatenate([np.arange(len(part)) % HELD_OUT_EVERY == FEWEST - 1 for part in (control, other)])
            tasks.append(ScoutSamples(len(tasks), values[rows[~held]], label[~held], values[rows[held]], label[held]))
    return tasks


def made_guide(base: Base, training: list[Table], seed: int) -> dict[str, torch.Tensor]:
    """Guide per tensor, from the scouts that hold on their held-out samples."""
    base.network.requires_grad_(True)
    displacement, outcomes = train_block(base.network, scout_tasks(training, base.gene_ids), SCOUTS, seed)
    base.network.requires_grad_(False)
    kept = check_scouts(outcomes)
    return make_guide("per_tensor", {"moved": {name: v / kept for name, v in displacement.moved.items()}}, SCOUTS)


def network_predictions(
    tables: list[Table],
    left_out: "frozenset[str]",
    asked: list[Table],
    chosen: dict[str, list[tuple[float, str]]],
    seed: int,
) -> pd.DataFrame:
    """Predictions of the `asked` tables by networks that saw nothing of the groups left out; see `rows_of`."""
    training, found = without(tables, left_out), []
    sets = common_sets(training)
    drawn = derive(seed, "network", *sorted(left_out))
    base = pretrained(training, sets, drawn)
    guide = made_guide(base, training, derive(drawn, "scouts"))
    for method, tissue in itertools.product(chosen, dict.fromkeys(table.tissue for table in asked)):
        tuning = registry.load("fewshot.fine_tuning", method).METHOD
        candidates = [Candidate(rate, STEPS) for rate, _ in chosen[method]]
        shared = RateInputs(base, tuning.start(base, 2, 0), guide, derive(drawn, "rate"))
        queries = [table for table in asked if table.tissue == tissue]
        support, classes = with_classes([table for table in training if table.tissue == tissue], sets)
        query, query_classes = with_classes(queries, sets)
        names = ["control", "flight"]
        of = derive(drawn, tissue), names, support, classes, query, query_classes, [], "training", tissue
        fitter = Fitter(tuning, shared, FittingSettings(candidates=candidates))
        fits = fitter.one_by_one(Episode("test", 0, *of), candidates)
        for candidate, probabilities in zip(candidates, fits, strict=True):
            rows = rows_of(queries, probabilities[:, FLIGHT])
            found.append(rows.assign(candidate=candidate.value, scope="tissue", method=method))
    return pd.concat(found, ignore_index=True).assign(seed=seed)

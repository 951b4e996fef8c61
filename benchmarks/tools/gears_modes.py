"""Is GEARS trained on moments better than on mini-batches of cells? Three ways of training, for equally long.

`cells`: mini-batches of cells, each against all control cells (mode `corrected`); `parts`: mini-batches of
perturbations by their moments; `full`: all perturbations at once by their moments. Each is tuned over four candidates
on a split of the perturbations that is not judged, and all have the same time, in which the learning rate falls to a
tenth. Time is the processor's, of one thread, without evaluations; moments, which every way starts from, are made
beforehand.

`python benchmarks/tools/gears_modes.py RESULTS PARTS TABLE [SECONDS [SCREEN]]`: RESULTS is the folder of a run of the
demo that has its screen and its graph `annotation`, PARTS a folder that keeps what has been trained, so that after so
many SECONDS the rest is left to another call; SCREEN trains on this one alone. TABLE is written when all is there.
"""

import json
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))
sys.path.insert(0, str(Path(__file__).parent))

from gears_screen import generate_screen
from scarceseq.files import atomic, write_table
from scarceseq.network.graph import read_graph
from scarceseq.perturbation.gears.batches import CellBatches, MomentBatches, Place
from scarceseq.perturbation.gears.evaluation import mean_errors
from scarceseq.perturbation.gears.model import Gears
from scarceseq.perturbation.gears.moments import screen_moments
from scarceseq.perturbation.gears.settings import TrainingSettings, divide
from scarceseq.perturbation.gears.training import training_step
from scarceseq.perturbation.predictors import gears
from scarceseq.perturbation.prior import Prior
from scarceseq.perturbation.training_cells import Cells, read_cells
from scarceseq.runtime import keep_freed_memory
from scarceseq.seeds import derive
from scarceseq.statistics.intervals import corrected_interval

SEED, HELD_OUT, TOP, CHECKS = 20261121, 0.2, 20, 25
SECONDS = {"demo": 2.5, "generated": 4.0}
HIDDEN = {"demo": 16, "generated": 64}
TUNING, JUDGED = range(1), range(2, 8)
RATES = (0.002, 0.006)
WAYS = {
    "cells": [{"mode": "corrected", "batch": batch, "learning_rate": r} for batch in (32, 128) for r in RATES],
    "parts": [{"mode": "moments", "batch": batch, "learning_rate": r} for batch in (4, 16) for r in RATES],
    "full": [
        {"mode": "moments", "batch": 0, "weights": weights, "learning_rate": r}
        for weights in ("uniform", "reference-expected")
        for r in RATES
    ],
}


def demo_screen(results):
    """What the predictor starts from on the demo's screen."""
    folder = results / "screen/demo"
    profiles = anndata.read_h5ad(folder / "pseudobulk.h5ad")
    names, genes = (index.to_numpy(dtype=str) for index in (profiles.obs_names, profiles.var_names))
    cells = read_cells(folder / "cells.h5ad", names)
    settings = {"hidden": HIDDEN["demo"], "coexpression_cells": "control"}
    return gears.prepare(Prior(names, genes, read_graph(results / "network/annotation.parquet"), None, cells, settings))


def generated_screen():
    """The same for a screen of 12,000 cells, 1,000 genes and 87 perturbations."""
    screen = generate_screen(12_000, 1000, 87, 2000, seed=5)
    moments = screen_moments(screen.expression, screen.condition)
    cells = Cells(screen.expression, screen.condition, np.zeros(len(screen.condition), dtype=int))
    settings = divide({"hidden": HIDDEN["generated"], "coexpression_cells": "control"})
    known = np.ones(87, dtype=bool)
    return gears.Features(cells, moments, screen.similarity, screen.nodes, np.arange(87), known, settings)


@dataclass(frozen=True)
class Split:
    """Conditions to train on (control is 0) and to predict, and the genes over which errors are taken."""

    trained: np.ndarray
    held_out: np.ndarray
    top: np.ndarray


def split_of(features, number):
    """A fifth of the perturbations that the graph knows is held out."""
    known = 1 + np.flatnonzero(features.known)
    order = np.random.default_rng(derive(SEED, "split", number)).permutation(known)
    held_out = np.sort(order[: round(HELD_OUT * len(order))])
    difference = features.moments.difference
    score = np.abs(difference.mean[held_out]) / np.sqrt(difference.second[held_out] + 1e-6)
    top = np.argsort(np.argsort(-score, axis=1), axis=1) < TOP
    return Split(np.concatenate([[0], np.sort(order[len(held_out) :])]), held_out, top)


def curve(features, number, candidate, seconds):
    """Errors over top genes and over all, by processor time: [[seconds, top, all], ...].

    They are relative to those of the mean of the training perturbations.
    """
    split, seed = split_of(features, number), derive(SEED, "network", number)
    settings, place = TrainingSettings(**{"weights": "uniform"} | candidate), Place(torch.device("cpu"))
    settings = replace(settings, steps_per_epoch=50, epochs=1)
    cells = features.cells
    used = np.flatnonzero(np.isin(cells.condition, split.trained))
    coexpression = gears.coexpression_edges(cells, used, features.settings[0])
    targets = np.concatenate([[-1], features.node])[:, None]
    genes = cells.expression.shape[1]
    model = Gears(genes, coexpression, features.similarity, targets, features.nodes, features.settings[1], [seed])
    if settings.mode == "moments":
        batches = MomentBatches(split.trained, features.moments, settings, [seed], place)
    else:
        batches = CellBatches(
            cells.expression, cells.condition, features.moments, settings, [seed], place, cells.batch, used
        )
    optimiser = torch.optim.Adam(model.parameters(), settings.learning_rate, weight_decay=5e-4, fused=True)
    measured = features.moments.difference.mean[split.held_out]
    floor = (features.moments.difference.mean[split.trained[1:]].mean(axis=0) - measured) ** 2
    floors = float(floor[split.top].mean()), float(floor.mean())

    def errors():
        parts = zip((split.top, None), floors, strict=True)
        return [float(mean_errors(model, split.held_out, measured, top).mean()) / floor for top, floor in parts]

    found, spent, epoch = [], 0.0, 0
    while True:
        begin = time.process_time()
        for batch in batches.epoch(epoch):
            optimiser.param_groups[0]["lr"] = settings.learning_rate * 0.1 ** min(1.0, spent / seconds)
            training_step(model.train(), batch, batches, settings, optimiser)
            end = time.process_time()
            spent, begin = spent + end - begin, end
            if spent >= (len(found) + 1) * seconds / CHECKS or spent >= seconds:
                found.append([spent, *errors()])
                begin = time.process_time()
            if spent >= seconds:
                return found
        epoch += 1


def train_all(screens, folder, limit):
    """Train what has not been trained yet; whether all is there."""
    begun = time.monotonic()
    for name, make in screens.items():
        features = None
        wanted = [(way, number, place) for number in TUNING for way in WAYS for place in range(len(WAYS[way]))]
        if all(kept(folder, name, *job).exists() for job in wanted):
            wanted = [(way, number, chosen(folder, name, way)) for number in JUDGED for way in WAYS]
        else:
            wanted += [None]  # what is judged is known when all candidates are trained
        for job in wanted:
            if job is None:
                return train_all(screens, folder, limit - (time.monotonic() - begun))
            path = kept(folder, name, *job)
            if path.exists():
                continue
            if time.monotonic() - begun > limit:
                return False
            features = features or make()
            way, number, place = job
            found = curve(features, number, WAYS[way][place], SECONDS[name])
            with atomic(path) as temporary:
                temporary.write_text(json.dumps(found))
            print(name, way, number, WAYS[way][place], [round(value, 4) for value in found[-1]], flush=True)
    return True


def kept(folder, screen, way, number, place):
    """File of one training."""
    return folder / f"{screen}.{way}.{number}.{place}.json"


def read(folder, screen, way, number, place):
    """Its curve, shape (checks, 3)."""
    return np.array(json.loads(kept(folder, screen, way, number, place).read_text()))


def chosen(folder, screen, way):
    """The candidate with the least final error over the top genes, mean over the tuning split."""
    final = [
        np.mean([read(folder, screen, way, number, place)[-1, 1] for number in TUNING])
        for place in range(len(WAYS[way]))
    ]
    return int(np.argmin(final))


def first_time(found, target):
    """Seconds to the first check with an error at most the target."""
    return found[np.argmax(found[:, 1] <= target), 0]


def compare(folder, screen):
    """Rows of the table: final errors of each way, and of both others against mini-batches of cells."""
    places = {way: chosen(folder, screen, way) for way in WAYS}
    curves = {way: [read(folder, screen, way, number, places[way]) for number in JUDGED] for way in WAYS}
    rows, share = [], HELD_OUT / (1 - HELD_OUT)

    def row(what, way, values):
        mean, low, high, _ = corrected_interval(values, share, 0.95)
        about = {"screen": screen, "seconds": SECONDS[screen], "what": what, "way": way}
        settings = ", ".join(f"{key} {value}" for key, value in WAYS[way][places[way]].items() if key != "mode")
        rows.append(about | {"mean": mean, "low": low, "high": high, "splits": len(values), "settings": settings})

    for way, found in curves.items():
        row("final error, of the training mean's", way, [one[-1, 1] for one in found])
        row("final error over all genes, of the training mean's", way, [one[-1, 2] for one in found])
    for way in ("parts", "full"):
        both = list(zip(curves["cells"], curves[way], strict=True))
        row("log2 of final error against cells", way, [np.log2(two[-1, 1] / one[-1, 1]) for one, two in both])
        targets = [max(one[-1, 1], two[-1, 1]) for one, two in both]
        times = [(first_time(one, goal), first_time(two, goal)) for (one, two), goal in zip(both, targets, strict=True)]
        row("log2 of cells' time to the worse final error", way, [np.log2(one / two) for one, two in times])
    return rows


def main(results, parts, table, seconds="inf", only=None):
    """Train, or go on; write the table when all is there. Exit status 2 if something is left."""
    torch.set_num_threads(1)
    keep_freed_memory()
    folder = Path(parts)
    folder.mkdir(parents=True, exist_ok=True)
    screens = {"demo": lambda: demo_screen(Path(results)), "generated": generated_screen}
    wanted = {name: make for name, make in screens.items() if only in (None, name)}
    if not train_all(wanted, folder, float(seconds)) or only:
        return 2
    found = pd.DataFrame([row for screen in screens for row in compare(folder, screen)])
    write_table(found.round(4), table)
    print(found.round(3).to_string())
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

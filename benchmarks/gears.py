"""GEARS against the installed cell-gears 0.1.2: same weights, same batches of 32 cells, 5,000 genes.

Bars: a training step 10 times as fast as theirs, and 3 times when theirs keeps freed memory as ours does; evaluation of
a fifth of the perturbations 100 times as fast; half the peak memory of a process that trains; outputs, gradients and
evaluated errors equal to 1e-10 in double precision; and the mode `moments` reaches the validation error that their
training reaches on a screen of 68,000 cells in a twentieth of the wall time.

Every side runs in a process of its own, and they take turns. Two of their times are extrapolated: evaluation from 30
batches, and training from the median of the steps measured here times the number of steps. The error that their
training reaches, and when, is found with our mode `reference`, which is shown here to compute the same: the least at
the end of an epoch, which is what theirs keeps, and the least at any check of 50 steps; the smaller ratio counts. The
evaluations that theirs makes after each epoch are not counted. That takes long, so that it goes in pieces: `--parts
FOLDER` keeps what each part has found, `--only PART` runs one, `--seconds` ends a piece of the parts `reference` and
`moments`, which go on from there. Where all parts are there, they make the result, whenever they ran.
"""

import argparse
import ctypes
import gc
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
sys.path.insert(0, str(Path(__file__).parent / "tools"))

import gears_peer
from gears_race import Race
from gears_screen import generate_screen
from scarceseq.perturbation.gears.batches import CellBatches, Place
from scarceseq.perturbation.gears.evaluation import mean_errors, paired_difference
from scarceseq.perturbation.gears.model import Gears
from scarceseq.perturbation.gears.moments import screen_moments
from scarceseq.perturbation.gears.settings import ModelSettings, TrainingSettings
from scarceseq.perturbation.gears.training import batch_losses, training_step
from scarceseq.runtime import keep_freed_memory

BARS = {"step": 10.0, "step, same allocator": 3.0, "evaluation": 100.0, "memory": 2.0, "moments": 20.0}
BATCH, PERTURBATIONS, NODES = 32, 87, 9853
SCREEN_CELLS = 68_000
TARGETS = [[], *([node] for node in range(PERTURBATIONS))]
TOLERANCE = 1e-10
# A fifth of the perturbations of a screen of that size, a third of whose cells are control.
EVALUATED_BATCHES = int(0.65 * SCREEN_CELLS * len(range(1, PERTURBATIONS + 1, 5)) / PERTURBATIONS / BATCH)
CHECK_EVERY = 50
LOAD = os.getloadavg()[0]
# Found on generated screens of 1,000 genes with other seeds (tools/gears_modes.py); control is in every batch.
MOMENTS = TrainingSettings(
    mode="moments",
    batch=4,
    steps_per_epoch=50,
    epochs=60,
    learning_rate=2e-3,
    decay_per_epoch=0.9,
    weights="reference-expected",
)


def ours(screen, seeds, device, dtype=torch.float32):
    """Our model for a generated screen."""
    targets = np.arange(-1, PERTURBATIONS)[:, None]
    graphs = screen.coexpression, screen.similarity
    model = Gears(screen.expression.shape[1], *graphs, targets, screen.nodes, ModelSettings(), seeds, dtype)
    return model.to(device)


class Side:
    """One of the two models with its optimiser and batches, in a process of its own."""

    def __init__(self, name, options):
        torch.set_num_threads(options.threads)
        torch.manual_seed(0)
        self.name, self.device = name, torch.device(options.device)
        self.screen = generate_screen(BATCH * options.batches, options.genes, PERTURBATIONS, NODES, seed=1)
        forget_peak()
        if name != "stock":
            keep_freed_memory()
        screen, self.settings = self.screen, TrainingSettings(mode="reference", batch=BATCH)
        moments, place = screen_moments(screen.expression, screen.condition), Place(self.device)
        self.batches = CellBatches(screen.expression, screen.condition, moments, self.settings, [1], place)
        self.order = np.arange(len(screen.condition)).reshape(-1, BATCH)
        if name == "ours":
            self.model = ours(screen, [1], self.device)
        else:
            graphs = screen.coexpression, screen.similarity
            self.model = gears_peer.stock_model(options.genes, NODES, *graphs, ModelSettings(), device=options.device)
            self.kept = [np.flatnonzero(row) for row in moments.expressed]
            self.mean_control = place.tensor(moments.mean_control)
        rates = {"lr": self.settings.learning_rate, "weight_decay": self.settings.weight_decay}
        self.optimiser = torch.optim.Adam(self.model.parameters(), **rates, fused=True if name == "ours" else None)
        self.stock_batches = [] if name == "ours" else [self.stock_batch(cells) for cells in self.order]

    def stock_batch(self, cells):
        """Their batch, laid out beforehand: their loader's work is not counted."""
        pair = self.batches.read(self.batches.partner[cells][None])[0], self.batches.read(cells[None])[0]
        conditions = self.screen.condition[cells].tolist()
        return gears_peer.stock_batch(*pair, conditions, TARGETS)

    def step(self, number):
        """One training step; ours reads its cells within it."""
        number %= len(self.order)
        if self.name == "ours":
            batch = self.batches.batch_of(self.order[number][None])
            training_step(self.model.train(), batch, self.batches, self.settings, self.optimiser)
            return
        batch = self.stock_batches[number]
        self.model.train()
        self.optimiser.zero_grad()
        prediction = self.model(batch)
        arguments = (batch, self.kept, self.mean_control, TARGETS, self.settings)
        gears_peer.stock_loss(prediction, *arguments).backward()
        torch.nn.utils.clip_grad_value_(self.model.parameters(), self.settings.largest_gradient)
        self.optimiser.step()

    def evaluate(self, number):
        """Ours: all test perturbations. Theirs: one batch of cells, with the metrics that it computes."""
        if self.name == "ours":
            tested = np.arange(1, PERTURBATIONS + 1, 5)
            difference = np.zeros((len(tested), self.screen.expression.shape[1]))
            mean_errors(self.model, tested, difference, alone_share=(BATCH - 1) / BATCH)
            return
        inference = gears_peer.import_gears()[2]
        results = inference.evaluate([self.stock_batches[number % len(self.order)]], self.model, False, self.device)
        inference.compute_metrics(results)

    def timed(self, what, number):
        """Seconds of one call."""
        self.synchronise()
        start = time.perf_counter()
        getattr(self, what)(number)
        self.synchronise()
        return time.perf_counter() - start

    def synchronise(self):
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def memory(self):
        """Most memory that the process has held since it has its screen, or its part of the device, in megabytes."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated() / 1e6
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1e3


def forget_peak():
    """Hand memory back that generating the screen took, and let the peak begin here (Linux)."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")


def serve(connection, name, options):
    """Answer calls of the main process until it asks for nothing more."""
    side = Side(name, options)
    connection.send("ready")
    for what, number in iter(connection.recv, None):
        connection.send(side.memory() if what == "memory" else side.timed(what, number))


def compare(options):
    """Seconds of steps and evaluations by side, in turns, and each side's peak memory."""
    context, sides = multiprocessing.get_context("spawn"), {}
    for name in ("stock", "stock, freed memory kept", "ours"):
        connection, other = context.Pipe()
        context.Process(target=serve, args=(other, name, options), daemon=True).start()
        connection.recv()  # one after the other: importing and generating take memory of their own
        sides[name] = connection

    def ask(name, what, number):
        sides[name].send((what, number))
        return sides[name].recv()

    seconds = {name: {"step": [], "evaluate": []} for name in sides}
    for what, rounds in (("step", options.rounds), ("evaluate", options.evaluation_rounds)):
        for name in sides:
            ask(name, what, 0)
        for number in range(1, rounds + 1):
            for name in sides:
                seconds[name][what].append(ask(name, what, number))
    memory = {name: ask(name, "memory", 0) for name in sides}
    for connection in sides.values():
        connection.send(None)
    return seconds, memory


def equality(options):
    """Largest relative differences to cell-gears in double precision: outputs, gradients, evaluated errors."""
    torch.manual_seed(0)
    screen = generate_screen(6 * BATCH, options.genes, PERTURBATIONS, NODES, seed=2)
    moments, place = screen_moments(screen.expression, screen.condition), Place(torch.device("cpu"), torch.float64)
    settings = TrainingSettings(mode="reference", batch=BATCH)
    batches = CellBatches(screen.expression, screen.condition, moments, settings, [1], place)
    graphs = screen.coexpression, screen.similarity
    stock = gears_peer.stock_model(options.genes, NODES, *graphs, ModelSettings(), torch.float64)
    model = ours(screen, [1], "cpu", torch.float64)
    gears_peer.copy_weights(stock, model)
    order = np.arange(4 * BATCH).reshape(-1, BATCH)
    pairs = [(batches.read(batches.partner[cells][None])[0], batches.read(cells[None])[0]) for cells in order]
    conditions = screen.condition[order]
    theirs = [gears_peer.stock_batch(*pairs[row], conditions[row].tolist(), TARGETS) for row in range(4)]
    own = batches.batch_of(order[:1])
    stock.train()(theirs[0])  # ours goes forward twice too, and each time moves running statistics
    expected = stock(theirs[0])
    kept = [np.flatnonzero(row) for row in moments.expressed]
    mean_control = place.tensor(moments.mean_control)
    gears_peer.stock_loss(expected, theirs[0], kept, mean_control, TARGETS, settings).backward()
    found = model.train()(own.rows)[0][0, own.rows.position[0]] + pairs[0][0]
    found_loss = batch_losses(model, own, settings, batches).sum()
    found_loss.backward()
    errors = {"outputs": float((found - expected).detach().abs().max() / expected.detach().abs().max())}
    errors["gradients"] = gears_peer.differences(stock, model, lambda parameter: parameter.grad)
    inference = gears_peer.import_gears()[2]
    _, metrics = inference.compute_metrics(inference.evaluate(theirs, stock, False, "cpu"))
    present = np.unique(conditions)
    first = np.bincount(conditions[:, 0], minlength=PERTURBATIONS + 1)[present]
    alone = 1 - first / np.bincount(conditions.ravel())[present]
    difference = paired_difference(batches, present, order.ravel())
    own_errors = mean_errors(model, present, difference, alone_share=alone)[0]
    stock_errors = [float(metrics[gears_peer.condition_name(condition, TARGETS)]["mse"]) for condition in present]
    apart = np.abs(own_errors.numpy() - np.array(stock_errors)).max()
    errors["evaluated errors"] = float(apart / max(stock_errors))
    return errors


def speed(options, _folder):
    """Part 1: seconds and memory by side."""
    seconds, memory = compare(options)
    return {"seconds": seconds, "megabytes": memory, "load_before": LOAD}


def race_of(options, folder):
    """The screen on which both ways of training compete."""
    torch.set_num_threads(options.threads)
    keep_freed_memory()
    return Race(folder, (options.cells, options.genes, PERTURBATIONS, NODES), torch.device(options.device))


def reference(options, folder):
    """Part 3: the error that the reference reaches, by step."""
    settings = TrainingSettings(mode="reference", batch=BATCH, epochs=options.epochs)
    race = race_of(options, folder)
    curve, finished, steps = race.run("reference", settings, CHECK_EVERY, options.seconds)
    print(f"reference: {curve[-1][0]} steps, least error {min(point[2] for point in curve):.4f}", file=sys.stderr)
    found = {"curve": [[step, error] for step, _, error in curve], "no change": race.no_change()}
    return found | {"epochs": options.epochs, "steps of an epoch": steps} if finished else None


def moments(options, folder):
    """Part 4: errors of the mode `moments` by seconds, until the least error that the reference has at any check."""
    least = min(error for _, error in json.loads((folder / "reference.json").read_text())["curve"])
    race = race_of(options, folder)
    curve, finished, steps = race.run("moments", MOMENTS, MOMENTS.steps_per_epoch, options.seconds, least)
    print(f"moments: {curve[-1]}, least error {min(point[2] for point in curve):.4f} of {least:.4f}", file=sys.stderr)
    found = {"curve": curve, "seconds of the moments themselves": race.seconds_of_moments, "steps of an epoch": steps}
    return found if finished else None


def race_ratios(found, step_seconds):
    """Stock's time over ours, to the error of stock's best epoch, which it keeps, and to its least at any check.

    Parameters
    ----------
    found : dict
        Parts ``reference`` and ``moments``.
    step_seconds : float
        Of stock.
    """
    curve, epoch = found["reference"]["curve"], found["reference"]["steps of an epoch"]
    ends = [point for point in curve if point[0] % epoch == 0]
    ratios, before = {}, found["moments"]["seconds of the moments themselves"]
    for name, points in {"best epoch": ends, "least error at a check": curve}.items():
        steps, target = min(points, key=lambda point: point[1])
        ours = next((seconds for _, seconds, error in found["moments"]["curve"] if error <= target), float("inf"))
        ratios[name] = steps * step_seconds / (before + ours)
        print(f"moments: {before + ours:.1f} s to error {target:.4f}, stock's {name} ({steps} steps, extrapolated)")
    return ratios


PARTS = {"speed": speed, "equality": lambda options, _: equality(options), "reference": reference, "moments": moments}


def ratios_of(found):
    """What each bar is held against."""
    median = {
        name: {what: statistics.median(values) for what, values in part.items()}
        for name, part in found["speed"]["seconds"].items()
    }
    memory = found["speed"]["megabytes"]
    for name, part in median.items():
        print(f"{name:<26} step {part['step']:7.3f} s   evaluation {part['evaluate']:7.4f} s   {memory[name]:6.0f} MB")
    kept, own = median["stock, freed memory kept"], median["ours"]
    ratios = {"step": median["stock"]["step"] / own["step"], "step, same allocator": kept["step"] / own["step"]}
    ratios["evaluation"] = kept["evaluate"] * EVALUATED_BATCHES / own["evaluate"]
    ratios["memory"] = memory["stock"] / memory["ours"]
    if "moments" in found:
        ratios["moments"] = min(race_ratios(found, median["stock"]["step"]).values())
    return ratios


def arguments():
    """Options with the sizes that they imply."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few rounds, 2,000 genes, a small screen")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--genes", type=int)
    parser.add_argument("--cells", type=int, help="of the screen on which the mode moments is judged")
    parser.add_argument("--epochs", type=int, help="of the reference on it; its learning rate halves with each")
    parser.add_argument("--rounds", type=int, help="steps and evaluations of each side")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="after which a part of training pauses")
    parser.add_argument("--parts", type=Path, help="folder that keeps what the parts have found")
    parser.add_argument("--only", choices=PARTS, help="run this part alone")
    parser.add_argument("--without-moments", action="store_true", help="leave the last bar out")
    options = parser.parse_args()
    quick = options.quick
    options.genes = options.genes or (2000 if quick else 5000)
    options.cells = options.cells or (3000 if quick else SCREEN_CELLS)
    options.epochs = options.epochs or (1 if quick else 3)
    options.rounds = options.rounds or (3 if quick else 30)
    options.batches, options.evaluation_rounds = 6 if quick else options.rounds + 1, options.rounds
    return options


def main():
    """Print the table and the result; exit status 0 if every bar is met and both sides agree."""
    options = arguments()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.parts or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        wanted = ["speed", "equality"] + ([] if options.without_moments else ["reference", "moments"])
        for name in [options.only] if options.only else wanted:
            kept = folder / f"{name}.json"
            if not kept.exists():
                found = PARTS[name](options, folder)
                if found is None:
                    print(f"{name}: not finished; go on with the same --parts")
                    return 2
                kept.write_text(json.dumps(found))
        if any(not (folder / f"{name}.json").exists() for name in wanted):
            return 2
        found = {name: json.loads((folder / f"{name}.json").read_text()) for name in wanted}
    ratios, errors = ratios_of(found), found["equality"]
    print("largest differences in double precision:", {name: f"{value:.1e}" for name, value in errors.items()})
    for name, ratio in ratios.items():
        print(f"{name:<22} {ratio:8.1f} times, bar {BARS[name]:g}")
    detail = found | {"genes": options.genes, "cells": options.cells, "threads": options.threads}
    detail["bars"] = {name: [ratio, BARS[name]] for name, ratio in ratios.items()}
    ratio, equal = min(found / BARS[name] for name, found in ratios.items()), max(errors.values()) < TOLERANCE
    result = {"name": "gears", "ratio": round(ratio, 3), "target": 1, "equal": equal, "device": options.device}
    print(json.dumps(result | {"detail": detail}))
    return 0 if ratio >= 1 and equal else 1


if __name__ == "__main__":
    sys.exit(main())

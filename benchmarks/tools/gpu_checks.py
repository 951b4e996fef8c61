"""Does the GPU compute what the processor computes? For `gpu.sh`; needs torch, numpy, safetensors and the package.

Each check computes the same on the processor and on the device, or in two ways on the device, and gives the largest
difference and what is allowed: in double precision sums in another order, in single precision what training amplifies.
The last line is one JSON object; status 0 only if all are within their tolerance.
"""

import argparse
import functools
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

from scarceseq.corpus.loader import Loader, choose_mode
from scarceseq.fewshot.engine.fitting import Fitter
from scarceseq.fewshot.method import Candidate
from scarceseq.perturbation.gears.batches import CellBatches, Place
from scarceseq.perturbation.gears.evaluation import mean_errors
from scarceseq.perturbation.gears.model import Gears
from scarceseq.perturbation.gears.moments import screen_moments
from scarceseq.perturbation.gears.settings import ModelSettings, TrainingSettings
from scarceseq.perturbation.gears.training import batch_losses, training_step
from scarceseq.pretrain.evaluation import evaluate
from scarceseq.pretrain.training import train

BENCHMARKS = Path(__file__).parents[1]
DOUBLE, TRAINED = 1e-8, 5e-3
METHODS = ("guided@per_tensor", "full_fine_tuning", "mean_rate@per_tensor")
SHORT_OF_MEMORY = 2**20  # bytes that are said to be free


def benchmark(name):
    """A script of the folder benchmarks as a module; rules' scripts have the same names."""
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", BENCHMARKS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fewshot, pretrain, scouts = map(benchmark, ("fewshot", "pretrain", "scouts"))
# How gpu.sh was told to run Python, so that processes started here run alike.
PYTHON = os.environ.get("PYTHON", sys.executable).split()


def difference(one, other):
    """Largest difference, in shares of the largest value."""
    tensors = (v.detach().cpu() if isinstance(v, torch.Tensor) else v for v in (one, other))
    one, other = (np.asarray(values, dtype=np.float64) for values in tensors)
    return float(np.abs(one - other).max() / max(np.abs(one).max(), 1e-300))


@functools.cache
def trained(device, folder):
    """Losses of a short training in single precision, scores on held-out studies, embeddings."""
    path = Path(folder) / "matrix.npy"
    labels = pretrain.generate(path, 512, 600) if not path.exists() else np.load(Path(folder) / "labels.npy")
    np.save(Path(folder) / "labels.npy", labels)
    matrix = pretrain.labelled(path, labels)
    arguments = argparse.Namespace(steps=20, batch=64, interval=10)
    settings = pretrain.settings_of("masked", arguments, precision="float32", hidden_widths=(64,), width=16)
    base, task = pretrain.make(matrix, settings, torch.device(device))
    rows, held_out = np.arange(400), np.arange(400, 512)
    history, _ = train(task, base, matrix.expression, rows, held_out, settings, 1)
    groups = {("test", "one"): held_out[:56], ("test", "other"): held_out[56:]}
    scores = evaluate(task, base, matrix.expression, rows, groups, settings, 1)
    losses = [entry[name] for entry in history for name in ("train_loss", "validation_loss")]
    return losses, [score["value"] for score in scores]


def check_pretraining(device, folder):
    """Losses of 20 steps of masked genes."""
    return difference(trained("cpu", folder)[0], trained(device, folder)[0]), TRAINED


def check_evaluation(device, folder):
    """Scores of the model and of its rivals on held-out studies."""
    return difference(trained("cpu", folder)[1], trained(device, folder)[1]), TRAINED


def predictions(device, dtype, at_once=None):
    """Probabilities of some fits of each kind."""
    episodes = fewshot.make_episodes(300, 3)
    setting = fewshot.make_setting(300, device, dtype)
    found = []
    for name in METHODS:
        fitter = Fitter(fewshot.METHODS[name], setting, fewshot.SETTINGS)
        fits = [(episode, Candidate(fewshot.LEARNING_RATE_TIMES_GENES / 300, fewshot.STEPS)) for episode in episodes]
        size = at_once or fitter.fits_at_once(episodes[0])
        found += [part for first in range(0, len(fits), size) for part in fitter.stacked(fits[first : first + size])]
    return np.concatenate(found)


def check_fits(device, folder):
    """Predictions of guided and unguided fits, all stacked, in double precision."""
    return difference(predictions("cpu", torch.float64, 1), predictions(device, torch.float64)), DOUBLE


def check_scouts(device, folder):
    """Sums of displacements and of squared gradients, in double precision, at once and one after another."""
    worst = scouts.largest_difference_of_stack(300, 6, device, torch.float64)
    sums = []
    for place in ("cpu", device):
        network = scouts.make_network(300, place, torch.float64)
        tasks = scouts.make_tasks(300, 6, place, torch.float64)
        sums.append(scouts.train_block(network, tasks, scouts.SETTINGS, 1)[0])
    pairs = [(getattr(sums[0], group), getattr(sums[1], group)) for group in ("moved", "fisher")]
    return max([worst, *(difference(a[name], b[name]) for a, b in pairs for name in a)]), DOUBLE


def screen(cells, genes, perturbations):
    """Cells, conditions and both graphs of a small random screen."""
    generator = np.random.default_rng(5)
    effect = np.vstack([np.zeros(genes), generator.normal(0, 0.5, (perturbations, genes))])
    condition = np.arange(cells) % (perturbations + 1)
    expression = np.log1p(generator.poisson(np.exp(effect[condition]))).astype(np.float64)

    def edges(nodes):
        source, target = np.repeat(np.arange(nodes), 4), generator.integers(0, nodes, 4 * nodes)
        return source, target, generator.random(4 * nodes)

    return expression, condition, edges(genes), edges(4 * perturbations)


def gears(device, dtype, genes=200, perturbations=12):
    """Losses and largest gradients of a batch of GEARS, and the errors that it evaluates; a function for one step."""
    torch.manual_seed(0)
    expression, condition, coexpression, similarity = screen(64 * (perturbations + 1), genes, perturbations)
    moments, place = screen_moments(expression, condition), Place(torch.device(device), dtype)
    settings = TrainingSettings(mode="reference", batch=32)
    targets = np.arange(-1, perturbations)[:, None]
    model = Gears(genes, coexpression, similarity, targets, 4 * perturbations, ModelSettings(), [1], dtype).to(device)
    batches = CellBatches(expression, condition, moments, settings, [1], place)
    batch = batches.batch_of(np.arange(settings.batch)[None])
    losses = batch_losses(model.train(), batch, settings, batches)
    losses.sum().backward()
    found = [losses, *(weight.grad.abs().max()[None] for weight in model.parameters() if weight.grad is not None)]
    truth = np.zeros((perturbations, genes))
    found.append(mean_errors(model, np.arange(1, perturbations + 1), truth, alone_share=0.5)[0])
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    values = torch.cat([part.detach().double().cpu().reshape(-1) for part in found])
    return values, lambda: training_step(model, batch, batches, settings, optimiser)


def check_gears(device, folder):
    """Losses, gradients and evaluated errors of GEARS, in double precision."""
    return difference(gears("cpu", torch.float64)[0], gears(device, torch.float64)[0]), DOUBLE


def check_gears_single(device, folder):
    """The same in single precision."""
    return difference(gears("cpu", torch.float64)[0], gears(device, torch.float32)[0]), TRAINED


def check_stream(device, folder):
    """Batches of a matrix that is said not to fit into the device's memory, against those of one that does."""
    matrix = np.random.default_rng(1).random((300, 40), dtype=np.float32)
    batches = [np.arange(first, 300, 7) for first in range(7)]
    with mock.patch("torch.cuda.mem_get_info", return_value=(SHORT_OF_MEMORY // 100, 2**33)):
        short = choose_mode("auto", matrix.nbytes, torch.device(device))
    found = []
    for mode in (short, "resident"):
        loader = Loader(matrix, batches, torch.device(device), mode=mode)
        found.append(np.concatenate([values.float().cpu().numpy().copy() for _, values in loader]))
    assert short == "stream", short
    return difference(*found), 0.0


def check_little_memory(device, folder):
    """Fits that are stacked one at a time, as where memory is short, against all at once."""
    with mock.patch("torch.cuda.mem_get_info", return_value=(SHORT_OF_MEMORY, 2**33)):
        alone = predictions(device, torch.float64)
    return difference(predictions(device, torch.float64), alone), DOUBLE


def check_two_processes(device, folder):
    """Predictions of two processes on one card at the same time, against those of this one."""
    program = [*PYTHON, __file__, "--predict", "--device", device]
    running = [
        subprocess.Popen(
            [*program, str(Path(folder) / f"{number}.npy")], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for number in range(2)
    ]
    for process in running:
        _, errors = process.communicate(timeout=120)
        if process.returncode:
            raise RuntimeError(errors.decode()[-2000:])
    mine = predictions(device, torch.float64)
    return max(difference(mine, np.load(Path(folder) / f"{number}.npy")) for number in range(2)), DOUBLE


CHECKS = {name.removeprefix("check_"): check for name, check in list(globals().items()) if name.startswith("check_")}


def speed_of_gears(device, quick):
    """Milliseconds of a training step of GEARS, in single precision: of this device and of the processor."""
    found, steps = {}, 2 if quick else 50
    sizes = {"genes": 200, "perturbations": 12} if quick else {"genes": 2000, "perturbations": 40}
    for place in dict.fromkeys(("cpu", device)):
        _, step = gears(place, torch.float32, **sizes)
        step()
        if place == "cuda":
            torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(steps):
            step()
        if place == "cuda":
            torch.cuda.synchronize()
        found[place] = 1e3 * (time.perf_counter() - start) / steps
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cuda")
    parser.add_argument("--quick", action="store_true", help="fewer steps of the timing")
    parser.add_argument("--predict", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("target", nargs="?", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.predict:
        np.save(arguments.target, predictions(arguments.device, torch.float64))
        return 0
    checks = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, check in CHECKS.items():
            try:
                largest, tolerance = check(arguments.device, folder)
                checks[name] = {"largest": largest, "tolerance": tolerance, "equal": bool(largest <= tolerance)}
            except Exception as error:  # the other checks still say what they find
                checks[name] = {"error": f"{type(error).__name__}: {error}"[:500], "equal": False}
            print(f"{name:20} {checks[name]}", flush=True)
    milliseconds = speed_of_gears(arguments.device, arguments.quick)
    print(f"a training step of GEARS: {milliseconds} ms")
    equal = all(check["equal"] for check in checks.values())
    name = torch.cuda.get_device_name() if arguments.device == "cuda" else "cpu"
    detail = {"checks": checks, "gears_step_ms": milliseconds, "torch": torch.__version__}
    result = {"name": "gpu_checks", "ratio": float(equal), "target": 1, "equal": equal, "device": name}
    print(json.dumps(result | {"detail": detail}))
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())

"""Pre-training: the loop of the rule, loader, masks and optimiser included, on a generated training matrix.

Bars, for an MLP that learns labels and one that reconstructs masked genes: 0.75 of the rate at which this machine
multiplies matrices in the format used, 0.9 of the bare step (same network and optimiser, one batch in memory,
standardised and masked), 4 times a plain loop (`DataLoader`, float32, AdamW as torch makes it) on the same file at the
same batch, with the number of workers that is fastest. The plain loop runs in a process of its own, with memory
allocated as Python finds it; ours keeps freed memory, as the rule does. Held-out loss after equal steps must not depend
on the precision by more than on the seed.

``--device cuda`` says in addition what the memory carries and how long 100 passes over all of mouse would take; that
needs torch, numpy and the package alone. ``--clock processor`` measures the processor time of
one thread, on a machine that others use too.
"""

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

from scarceseq import registry, runtime
from scarceseq.pretrain.batches import make_batch, standardiser
from scarceseq.pretrain.model import Base
from scarceseq.pretrain.run_state import choose_dtype
from scarceseq.pretrain.samples import LabelledMatrix
from scarceseq.pretrain.settings import PretrainSettings
from scarceseq.pretrain.task import make_task
from scarceseq.pretrain.training import train

# Wall time needs a machine of one's own; others disturb the processor time of one thread least.
CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}
clock = "wall"
BARS = {"matmul": 0.75, "bare": 0.9, "plain": 4.0}
CLASSES = 50
MOUSE_RUNS = 400_000
# Each is one entry of `pretrain.bases`.
NETWORKS = {
    "labels": {
        "objectives": {"labels": {"weight": 1.0, "keys": ["label"], "minimum_studies": 1}},
        "hidden_widths": (1024, 128),
        "width": 128,
    },
    "masked": {"objectives": {"masked_expression": {"weight": 1.0}}, "hidden_widths": (1024,), "width": 256},
}


def settings_of(network, arguments, **changes):
    """Settings of one base."""
    own = NETWORKS[network] | changes
    common = {
        "split": "all",
        "architecture": "mlp",
        "seed": 1,
        "roles": ("pretrain",),
        "steps": arguments.steps,
        "batch_samples": arguments.batch,
        "samples_at_once": 0,
        "mask_share": 0.3,
        "input_noise": 0.0,
        "learning_rate": 1e-3,
        "weight_decay": 0.01,
        "warm_up_steps": 10,
        "maximum_gradient_norm": 1.0,
        "minimum_scale": 0.1,
        "decoder_widths": (),
        "depth": 2,
        "heads": 4,
        "token_width": 64,
        "expression_bins": 16,
        "attention": "softmax",
        "validate_every_steps": arguments.interval,
        "checkpoint_every_steps": 10**9,
        "early_stopping_validations": 0,
        "loss_spike_factor": 3.0,
        "loss_spike_steps": 20,
        "precision": "bfloat16",
        "deterministic": False,
        "evaluation_mask_share": 0.3,
        "evaluation_masks": 1,
    }
    return PretrainSettings(**common | own)


def generate(path, samples, genes, factors=16):
    """Write log-expression of few factors and noise, half precision; returns the class of each sample."""
    generator = np.random.default_rng(0)
    centres = generator.normal(size=(CLASSES, factors)).astype(np.float32)
    loadings = generator.normal(size=(factors, genes)).astype(np.float32) / 2
    labels = generator.integers(CLASSES, size=samples)
    matrix = np.lib.format.open_memmap(path, "w+", np.float16, (samples, genes))
    for start in range(0, samples, 512):
        part = labels[start : start + 512]
        scores = centres[part] + generator.normal(size=(len(part), factors)).astype(np.float32)
        noise = generator.standard_normal((len(part), genes), dtype=np.float32)
        matrix[start : start + len(part)] = np.maximum(5 + scores @ loadings + noise, 0)
    matrix.flush()
    return labels


def labelled(path, labels):
    """The matrix as pre-training sees it."""
    expression = np.load(path, mmap_mode="r")
    count, genes = expression.shape
    names = [f"gene{number}" for number in range(genes)]
    studies = np.array([f"study{number % 20}" for number in range(count)])
    attributes = {"label": np.array([f"class{label:02d}" for label in labels])}
    roles = np.full(count, "pretrain")
    return LabelledMatrix(
        expression, np.arange(count).astype(str), studies, roles, names, names, "", attributes=attributes
    )


def make(matrix, settings, device):
    """(base, task) with initial weights; the generated genes have about this mean and scale."""
    genes = matrix.expression.shape[1]
    mean, scale = torch.full((genes,), 5.0, device=device), torch.full((genes,), 2.0, device=device)
    torch.manual_seed(settings.seed)
    network = registry.load("pretrain.architectures", settings.architecture).build(
        mean.cpu(), scale.cpu(), settings.as_dictionary()
    )
    base = Base(network.to(device), matrix.gene_ids, mean, scale)
    rows = np.arange(len(matrix.expression))
    return base, make_task(base, matrix, rows, settings, settings.seed)


def flops(task, settings):
    """Of one step: 2 per weight, sample and matrix product; the first layers need no gradient of their input."""
    total = 0
    genes = max(max(weight.shape) for weight in task.parameters() if weight.ndim == 2)
    for name, weight in task.named_parameters():
        if weight.ndim == 2 and weight.requires_grad:
            products = 2 if name.startswith("network.encoder") and weight.shape[1] == genes else 3
            total += 2 * products * weight.numel() * settings.batch_samples
    return total


def wait(device):
    """Wait for what is queued on the device."""
    if device.type == "cuda":
        torch.cuda.synchronize()


def seconds(function, device, repeats):
    """Median time of a call."""
    function()
    found = []
    for _ in range(repeats):
        wait(device)
        start = CLOCKS[clock]()
        function()
        wait(device)
        found.append(CLOCKS[clock]() - start)
    return float(np.median(found))


def matmul_peak(device, dtype, shapes, repeats):
    """FLOP/s of the fastest of some products (rows, inner, columns)."""
    best = 0.0
    for rows, inner, columns in shapes:
        one = torch.randn((rows, inner), device=device).to(dtype)
        other = torch.randn((columns, inner), device=device).to(dtype).T
        best = max(best, 2 * rows * inner * columns / seconds(lambda a=one, b=other: a @ b, device, repeats))
    return best


def copy_rate(device):
    """Bytes per second of a copy on the device, read and written."""
    source = torch.empty(2**28, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * source.numel() / seconds(lambda: target.copy_(source), device, 7)


class Clock:
    """Stands in for the curves: notes when losses have been read, which waits for the device."""

    def __init__(self):
        self.times = {}

    def start(self, step):
        """Nothing to open."""

    def write(self, step, values):
        """Note the first time a step is written of."""
        self.times.setdefault(step, CLOCKS[clock]())

    def close(self):
        """Nothing to close."""

    def step_seconds(self):
        """Median time of a step, over the intervals after the first."""
        steps = sorted(self.times)
        pairs = zip(steps[1:], steps, strict=False)
        return float(np.median([(self.times[late] - self.times[early]) / (late - early) for late, early in pairs]))


def full_loop(matrix, settings, device):
    """Seconds per step of the rule's loop."""
    base, task = make(matrix, settings, device)
    clock, rows = Clock(), np.arange(len(matrix.expression))
    train(task, base, matrix.expression, rows, np.array([], dtype=int), settings, 1, events=clock)
    return clock.step_seconds()


def bare_step(matrix, settings, device, repeats):
    """Seconds per step of the same network and optimiser on one batch that is ready in memory."""
    base, task = make(matrix, settings, device)
    dtype = choose_dtype(settings.precision, device)
    samples = np.arange(settings.batch_samples)
    values = torch.from_numpy(np.array(matrix.expression[samples])).to(device)
    expression = standardiser(base.mean, base.scale, dtype)(values)
    batch = make_batch(samples, expression, range(settings.batch_samples), settings, 1)
    optimiser = torch.optim.AdamW(task.parameters(), lr=1e-3, weight_decay=settings.weight_decay, fused=True)

    def step():
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast(device.type, torch.bfloat16, enabled=dtype == torch.bfloat16):
            loss = task(batch)["loss"]
        loss.backward()
        norm = torch.nn.utils.get_total_norm([weight.grad for weight in task.parameters() if weight.grad is not None])
        optimiser.grad_scale = (norm / settings.maximum_gradient_norm).clamp_min(1).float()
        optimiser.step()

    return seconds(step, device, repeats)


class Rows(torch.utils.data.Dataset):
    """One sample at a time, as the documentation of `DataLoader` shows."""

    def __init__(self, expression, labels):
        self.expression, self.labels = expression, labels

    def __len__(self):
        return len(self.expression)

    def __getitem__(self, row):
        return torch.from_numpy(np.array(self.expression[row])), self.labels[row]


def plain_loop(path, labels, network, settings, device, workers, steps):
    """Seconds per step of a loop as one writes it first, with the same layers."""
    matrix = labelled(path, labels)
    base, task = make(matrix, settings, device)
    model, head = task.network, torch.nn.Linear(settings.width, CLASSES).to(device)
    optimiser = torch.optim.AdamW([*model.parameters(), *head.parameters()], lr=1e-3)
    data = torch.utils.data.DataLoader(
        Rows(matrix.expression, labels),
        batch_size=settings.batch_samples,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=device.type == "cuda",
    )
    times = []
    while len(times) <= steps:
        for values, target in data:
            expression = (values.to(device).float() - base.mean) / base.scale
            mask = torch.rand(expression.shape, device=device) < settings.mask_share
            if network == "labels":
                scores = head(model.encoder(expression.masked_fill(mask, 0)))
                loss = torch.nn.functional.cross_entropy(scores, target.to(device))
            else:
                loss = (
                    (model.decoder(model.encoder(expression.masked_fill(mask, 0))) - expression)[mask].square().mean()
                )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            loss.item()
            times.append(CLOCKS[clock]())
            if len(times) > steps:
                break
    return float(np.median(np.diff(times)))


def plain_in_a_process(path, labels_path, network, arguments, workers):
    """`plain_loop` in a new process, whose memory is allocated as Python finds it."""
    # PYTHON: how gpu.sh was told to run Python.
    command = [
        *os.environ.get("PYTHON", sys.executable).split(),
        __file__,
        "--plain",
        network,
        "--matrix",
        str(path),
        "--labels",
        str(labels_path),
    ]
    command += ["--workers", str(workers), "--batch", str(arguments.batch), "--device", arguments.device]
    command += ["--threads", str(arguments.threads), "--clock", arguments.clock, "--steps", str(arguments.plain_steps)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return float(done.stdout.splitlines()[-1])


def speed(network, path, labels_path, arguments, device):
    """Seconds per step of all sides, taking turns; FLOP of a step; FLOP/s of products."""
    matrix, settings = labelled(path, np.load(labels_path)), settings_of(network, arguments)
    _, task = make(matrix, settings, device)
    work = flops(task, settings)
    dtype = choose_dtype(settings.precision, device)
    genes = matrix.expression.shape[1]
    widest = max(settings.hidden_widths)
    shapes = [(arguments.batch, genes, widest), (widest, arguments.batch, genes), (4096, 4096, 4096)]
    found = {"ours": [], "bare": [], "peak": []} | {("plain", workers): [] for workers in arguments.worker_counts}
    for number in range(arguments.rounds):
        found["peak"].append(matmul_peak(device, dtype, shapes, arguments.repeats))
        found["ours"].append(full_loop(matrix, settings, device))
        found["bare"].append(bare_step(matrix, settings, device, arguments.repeats))
        for workers in arguments.worker_counts:
            if number < arguments.plain_rounds:
                found["plain", workers].append(plain_in_a_process(path, labels_path, network, arguments, workers))
    return found, work


def held_out_losses(arguments, device):
    """Validation loss of both precisions after equal steps on a small corpus, a row per seed."""
    with tempfile.TemporaryDirectory() as folder:
        labels = generate(Path(folder) / "small.npy", 2_000, 1_000)
        matrix = labelled(Path(folder) / "small.npy", labels)
        rows, validation = np.arange(1_500), np.arange(1_500, 2_000)
        found = []
        for seed in range(arguments.seeds):
            losses = []
            for precision in ("float32", "bfloat16"):
                settings = settings_of("masked", arguments, precision=precision, hidden_widths=(128,), width=32)
                settings = dataclasses.replace(
                    settings, batch_samples=64, steps=300, validate_every_steps=300, seed=seed
                )
                base, task = make(matrix, settings, device)
                history, _ = train(task, base, matrix.expression, rows, validation, settings, seed)
                losses.append(history[-1]["validation_loss"])
            found.append(losses)
    return np.array(found)


def report(network, found, work, arguments):
    """Print one network's table; returns its bars."""
    step = {name: float(np.median(values)) for name, values in found.items() if values}
    fastest = min((name for name in step if isinstance(name, tuple)), key=step.get)
    figures = {
        "matmul": float(
            np.median([work / ours / peak for ours, peak in zip(found["ours"], found["peak"], strict=True)])
        ),
        "bare": float(np.median(np.array(found["bare"]) / np.array(found["ours"]))),
        "plain": step[fastest] / step["ours"],
    }
    print(f"{network}: {work / 1e9:.1f} GFLOP a step of {arguments.batch} samples")
    print(f"  matrix products {step['peak'] / 1e9:12,.0f} GFLOP/s")
    for name in ("ours", "bare", fastest):
        title = f"plain, {name[1]} workers" if isinstance(name, tuple) else name
        rate = arguments.batch / step[name]
        print(f"  {title:20s} {step[name] * 1e3:9.1f} ms a step {rate:12,.0f} samples/s")
    for name, figure in figures.items():
        print(f"  bar {name:8s} {figure:6.2f} of {BARS[name]:g}{'' if figure >= BARS[name] else '   MISSED'}")
    if arguments.device == "cuda":
        print(f"  100 passes over {MOUSE_RUNS:,} samples: {100 * MOUSE_RUNS * step['ours'] / arguments.batch:,.0f} s")
    return figures


def measure(arguments, folder):
    """The result of the contract."""
    device = torch.device(arguments.device)
    path, labels_path = folder / "training.npy", folder / "labels.npy"
    np.save(labels_path, generate(path, arguments.samples, arguments.genes))
    if device.type == "cuda":
        print(f"{torch.cuda.get_device_name()}: copies {copy_rate(device) / 1e9:,.0f} GB/s")
    bars, detail = {}, {"shape": [arguments.samples, arguments.genes], "batch": arguments.batch}
    for network in arguments.networks:
        found, work = speed(network, path, labels_path, arguments, device)
        for name, figure in report(network, found, work, arguments).items():
            bars[f"{network}, {name}"] = [figure, BARS[name]]
        detail[network] = {"flop": work, "rounds": {str(name): values for name, values in found.items()}}
        if device.type == "cuda":
            detail[network]["peak_bytes"] = torch.cuda.max_memory_allocated()
    losses = held_out_losses(arguments, device)
    gap, spread = float(np.diff(losses, axis=1).mean()), float(losses[:, 0].std(ddof=1))
    equal = bool(np.isfinite(losses).all() and abs(gap) <= spread)
    print(f"held-out loss: float32 {losses[:, 0].mean():.5f}, bfloat16 {gap:+.5f}; spread over seeds {spread:.5f}")
    print(
        f"clock: {clock}; cores: {os.cpu_count()}; threads: {arguments.threads}; load average: {os.getloadavg()[0]:.1f}"
    )
    detail |= {
        "bars": bars,
        "clock": clock,
        "threads": arguments.threads,
        "load_average": os.getloadavg(),
        "held_out": losses.tolist(),
    }
    ratio = min(figure / bar for figure, bar in bars.values())
    name = torch.cuda.get_device_name() if device.type == "cuda" else "cpu"
    return {"name": "pretrain", "ratio": ratio, "target": 1, "equal": equal, "device": name, "detail": detail}


def joined(paths):
    """One result of several runs, each of other networks, so that none occupies a shared machine for long."""
    parts = [json.loads(Path(path).read_text().splitlines()[-1]) for path in paths]
    bars = {name: pair for part in parts for name, pair in part["detail"]["bars"].items()}
    for name, (figure, bar) in bars.items():
        print(f"  bar {name:16s} {figure:6.2f} of {bar:g}{'' if figure >= bar else '   MISSED'}")
    result = {"ratio": min(part["ratio"] for part in parts), "equal": all(part["equal"] for part in parts)}
    return parts[0] | result | {"detail": {"bars": bars, "parts": [part["detail"] for part in parts]}}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer genes and rounds")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--networks", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--samples", type=int)
    parser.add_argument("--genes", type=int)
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--steps", type=int, help="of one round")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--folder", help="of the generated matrix; the system's temporary folder if not given")
    parser.add_argument(
        "--clock", choices=list(CLOCKS), default="wall", help="processor: of one thread, without workers"
    )
    parser.add_argument("--join", nargs="+", help="files with what earlier runs printed, in place of measuring")
    for name in ("--plain", "--matrix", "--labels", "--workers"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    quick, cuda = arguments.quick, arguments.device == "cuda"
    arguments.samples = arguments.samples or (3_072 if quick else 40_960 if cuda else 8_192)
    arguments.genes = arguments.genes or (4_000 if quick else 20_000)
    arguments.interval = 50 if cuda else 4
    arguments.steps = arguments.steps or (500 if cuda else 12 if quick else 20)
    arguments.rounds = arguments.rounds or (2 if quick else 5)
    arguments.plain_rounds = 1 if quick else 3
    arguments.plain_steps = 3 if quick else 5
    arguments.worker_counts = (2,) if quick else (0, 2, 8) if cuda else (0, 1, 2)
    if arguments.clock == "processor":
        arguments.threads, arguments.worker_counts, arguments.plain_rounds = 1, (0,), 1
    arguments.repeats = 30 if cuda else 5
    arguments.seeds = 3 if quick else 6
    return arguments


def main():
    """Generate the matrix, measure, print; exit 0 if all bars are met."""
    arguments = parse_arguments()
    global clock
    clock = arguments.clock
    torch.set_num_threads(arguments.threads)
    if arguments.plain:
        settings, labels = settings_of(arguments.plain, arguments), np.load(arguments.labels)
        workers, device = int(arguments.workers), torch.device(arguments.device)
        print(plain_loop(arguments.matrix, labels, arguments.plain, settings, device, workers, arguments.steps))
        return
    if arguments.join:
        result = joined(arguments.join)
    else:
        runtime.keep_freed_memory()
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            result = measure(arguments, Path(folder))
    print(json.dumps(result))
    sys.exit(0 if result["ratio"] >= 1 and result["equal"] else 1)


if __name__ == "__main__":
    main()

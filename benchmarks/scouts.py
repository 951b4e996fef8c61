"""Scouts: sums of displacements, and of squared gradients, over 15 million weights.

Bars: at most 25 ms per scout on one thread for both sums; peak memory after many scouts no more than 1.05 times that
after two. The sums equal those of all scouts kept at once, to 1e-6 relative. Training itself is not timed.

With ``--device cuda`` (torch, numpy and the package only): 120 scouts of a base with 15 million weights, sums included,
trained at once 20 times as fast as one after another on the same GPU; the same displacements to 1e-5 of the largest (in
float64, where rounding is no excuse; the difference in float32 is shown).
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

from scarceseq import registry, runtime
from scarceseq.guide.displacement import Displacement
from scarceseq.guide.scout_data import ScoutSamples
from scarceseq.guide.scouts import train_block

SHAPES = {"encoder.linear.weight": (128, 23_500), "encoder.hidden.0.weight": (512, 23_500), "encoder.bias": (512,)}
MILLISECONDS, MEMORY_RATIO = 25.0, 1.05
CUDA_BAR, TOLERANCE = 20, 1e-5
ARCHITECTURE = {"hidden_widths": [512], "width": 128, "decoder_widths": []}
# What training reads of a scheme's settings, at their defaults.
SETTINGS = SimpleNamespace(
    optimiser="sgd",
    steps=60,
    batch_samples=32,
    learning_rate=1e-4,  # a stable rate falls with the number of genes
    momentum=0.9,
    minimum_held_out_accuracy=0.0,
    displacement="squared",
    head="free",
)


def make_scout(seed, start):
    """Weights a little away from `start`, and a gradient."""
    generator = torch.Generator().manual_seed(seed)
    final = {name: w + 0.01 * torch.randn(w.shape, generator=generator) for name, w in start.items()}
    return final, {name: torch.randn(w.shape, generator=generator) for name, w in start.items()}


def stream(scouts, kind):
    """Milliseconds per scout, and the peak memory of this process in MB, after two scouts and after all.

    Two sets of weights take turns.
    """
    torch.set_num_threads(1)
    runtime.keep_freed_memory()
    start = {name: torch.zeros(shape) for name, shape in SHAPES.items()}
    made = [make_scout(seed, start) for seed in range(2)]
    displacement, times, peaks = Displacement(start, kind), [], []
    for number in range(scouts):
        final, gradient = made[number % 2]
        begin = time.perf_counter()
        displacement.add(start, final, gradient)
        times.append(1e3 * (time.perf_counter() - begin))
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return statistics.median(times), peaks[1], peaks[-1]


def in_a_process(scouts, kind):
    """`stream` in a process of its own, whose peak memory is then its own too."""
    command = [sys.executable, __file__, "--stream", str(scouts), kind]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def largest_difference():
    """Relative difference to numpy's sums over scouts that are kept, on a smaller model."""
    generator = np.random.default_rng(3)
    start = {"w": torch.from_numpy(generator.normal(size=(300, 700)).astype(np.float32))}
    scouts = [make_scout(seed, start) for seed in range(9)]
    worst = 0.0
    for kind, power in (("squared", np.square), ("absolute", np.abs)):
        displacement = Displacement(start, kind)
        for final, gradient in scouts:
            displacement.add(start, final, gradient)
        moved = [power(final["w"].numpy().astype(np.float64) - start["w"].numpy()) for final, _ in scouts]
        squares = [np.square(gradient["w"].numpy().astype(np.float64)) for _, gradient in scouts]
        for found, expected in ((displacement.moved, moved), (displacement.fisher, squares)):
            total = np.sum(expected, axis=0)
            worst = max(worst, float((np.abs(found["w"].numpy() - total) / np.maximum(total, 1e-12)).max()))
    return worst


def make_network(genes, device, dtype):
    """Base of random weights."""
    torch.manual_seed(1)
    mean, scale = torch.zeros(genes), torch.ones(genes)
    network = registry.load("pretrain.architectures", "mlp").build(mean, scale, ARCHITECTURE)
    torch.nn.init.normal_(network.encoder.output.weight, std=0.05)  # the hidden layers have a say
    return network.to(device, dtype).eval()


def make_tasks(genes, scouts, device, dtype):
    """Tasks of two classes, 18 samples of each to train on and 6 held out, that differ in a twentieth of the genes."""
    generator, tasks = np.random.default_rng(4), []
    for scout in range(scouts):
        shifts = generator.normal(size=(2, genes)) * (generator.random((2, genes)) < 0.05)
        parts = []
        for count in (36, 12):
            labels = np.arange(count) % 2
            values = generator.normal(size=(count, genes)) + shifts[labels]
            parts += [torch.from_numpy(values).to(device, dtype), torch.from_numpy(labels).to(device)]
        tasks.append(ScoutSamples(scout, *parts))
    return tasks


def largest_difference_of_stack(genes, scouts, device, dtype):
    """Between scouts trained at once and one after another, in shares of each tensor's largest sum."""
    network, tasks = make_network(genes, device, dtype), make_tasks(genes, scouts, device, dtype)
    (one, _), (other, _) = (train_block(network, tasks, SETTINGS, 1, stacked=stacked) for stacked in (False, True))
    pairs = [(getattr(one, group), getattr(other, group)) for group in ("moved", "fisher")]
    return max(float((a[name] - b[name]).abs().max() / a[name].max()) for a, b in pairs for name in a)


def measure_stack(device, genes, scouts, repeats=3):
    """Seconds of all scouts one after another, and at once (median)."""
    network, tasks = make_network(genes, device, torch.float32), make_tasks(genes, scouts, device, torch.float32)

    def seconds(chosen, stacked):
        waiting = torch.cuda.synchronize if device == "cuda" else lambda: None
        waiting()
        begin = time.perf_counter()
        train_block(network, chosen, SETTINGS, 1, stacked=stacked)
        waiting()
        return time.perf_counter() - begin

    seconds(tasks[:2], False), seconds(tasks, True)  # warm up
    return seconds(tasks, False), statistics.median(seconds(tasks, True) for _ in range(repeats))


def run_cuda(quick, genes=None, scouts=None):
    """Scouts at once against one after another, on a GPU."""
    genes, scouts = genes or (2_000 if quick else 23_500), scouts or (24 if quick else 120)
    difference, rounded = (largest_difference_of_stack(genes, 8, "cuda", d) for d in (torch.float64, torch.float32))
    slow, fast = measure_stack("cuda", genes, scouts)
    print(
        f"{scouts} scouts, {genes} genes: {slow:.2f} s one after another, {fast:.3f} s at once; ratio {slow / fast:.1f}"
    )
    print(
        f"bar {CUDA_BAR}; largest difference {difference:.1e} in float64, {rounded:.1e} in float32 (bar {TOLERANCE:g})"
    )
    detail = {"genes": genes, "scouts": scouts, "seconds_one_by_one": slow, "seconds_at_once": fast}
    detail |= {"largest_difference": difference, "largest_difference_float32": rounded}
    result = {"ratio": slow / fast / CUDA_BAR, "equal": difference <= TOLERANCE}
    return result | {"device": torch.cuda.get_device_name(), "detail": detail}


def run_cpu(quick):
    """Sums of displacements on one thread."""
    many, figures = (12 if quick else 120), {}
    for kind in ("squared", "absolute"):
        milliseconds, few_memory, memory = in_a_process(many, kind)
        figures[kind] = {"milliseconds": milliseconds, "memory_mb": memory, "memory_of_two_mb": few_memory}
        print(
            f"{kind:8}: {milliseconds:5.1f} ms per scout (bar {MILLISECONDS:g}); peak memory {memory:.0f} MB after "
            f"{many} scouts, {few_memory:.0f} MB after 2"
        )
    worst = largest_difference()
    print(f"largest relative difference to sums over kept scouts: {worst:.1e}")
    print(f"cores: {os.cpu_count()}; load average: {os.getloadavg()[0]:.1f}")
    ratio = min(
        min(MILLISECONDS / figure["milliseconds"], MEMORY_RATIO * figure["memory_of_two_mb"] / figure["memory_mb"])
        for figure in figures.values()
    )
    detail = {"weights": sum(int(np.prod(shape)) for shape in SHAPES.values()), "figures": figures}
    result = {"ratio": ratio, "equal": worst < 1e-6, "device": "cpu"}
    return result | {"detail": detail | {"largest_difference": worst}}


def main():
    """Measure, print; exit 0 if all bars are met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer scouts")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--genes", type=int, help="with cuda")
    parser.add_argument("--scouts", type=int, help="with cuda")
    parser.add_argument("--stream", nargs=2, metavar=("SCOUTS", "KIND"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.stream:
        print(json.dumps(stream(int(arguments.stream[0]), arguments.stream[1])))
        return
    sizes = (arguments.genes, arguments.scouts) if arguments.device == "cuda" else ()
    result = (run_cuda if arguments.device == "cuda" else run_cpu)(arguments.quick, *sizes)
    print(json.dumps({"name": "scouts", "target": 1} | result))
    sys.exit(0 if result["ratio"] >= 1 and result["equal"] else 1)


if __name__ == "__main__":
    main()

"""Scouts: sums of displacements, and of squared gradients, over 15 million weights.

Bars: at most 25 ms per scout on one thread for both sums; peak memory after many scouts no more than 1.05 times that
after two. The sums equal those of all scouts kept at once, to 1e-6 relative. Training itself is not timed.
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

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

from scarceseq import runtime
from scarceseq.guide.displacement import Displacement

SHAPES = {"encoder.linear.weight": (128, 23_500), "encoder.hidden.0.weight": (512, 23_500), "encoder.bias": (512,)}
MILLISECONDS, MEMORY_RATIO = 25.0, 1.05


def make_scout(seed, start):
    """Weights a little away from `start`, and a gradient."""
    generator = torch.Generator().manual_seed(seed)
    final = {name: w + 0.01 * torch.randn(w.shape, generator=generator) for name, w in start.items()}
    return final, {name: torch.randn(w.shape, generator=generator) for name, w in start.items()}


def stream(scouts, kind):
    """Milliseconds per scout, and the peak memory of this process in MB; two sets of weights take turns."""
    torch.set_num_threads(1)
    runtime.keep_freed_memory()
    start = {name: torch.zeros(shape) for name, shape in SHAPES.items()}
    made = [make_scout(seed, start) for seed in range(2)]
    displacement, times = Displacement(start, kind), []
    for number in range(scouts):
        final, gradient = made[number % 2]
        begin = time.perf_counter()
        displacement.add(start, final, gradient)
        times.append(1e3 * (time.perf_counter() - begin))
    return statistics.median(times), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


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


def main():
    """Measure, print; exit 0 if all bars are met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer scouts")
    parser.add_argument("--stream", nargs=2, metavar=("SCOUTS", "KIND"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.stream:
        print(json.dumps(stream(int(arguments.stream[0]), arguments.stream[1])))
        return
    many, figures = (12 if arguments.quick else 120), {}
    for kind in ("squared", "absolute"):
        (_, few_memory), (milliseconds, memory) = in_a_process(2, kind), in_a_process(many, kind)
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
    result = {"name": "scouts", "ratio": ratio, "target": 1, "equal": worst < 1e-6, "device": "cpu"}
    print(json.dumps(result | {"detail": detail | {"largest_difference": worst}}))
    sys.exit(0 if ratio >= 1 and worst < 1e-6 else 1)


if __name__ == "__main__":
    main()

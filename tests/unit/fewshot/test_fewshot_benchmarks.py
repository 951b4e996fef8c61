"""The benchmarks of a GPU machine run where there are torch, numpy and safetensors, and nothing else of ours."""

import subprocess
import sys
from pathlib import Path

import scarceseq
from every_method import TRAINED

BEGIN = """
import importlib.util, sys
for name in "pandas sklearn snakemake scipy anndata scanpy pyarrow matplotlib yaml numba h5py".split():
    sys.modules[name] = None  # any import of it fails
spec = importlib.util.spec_from_file_location("benchmark", sys.argv[1])
benchmark = importlib.util.module_from_spec(spec)
spec.loader.exec_module(benchmark)
import torch
"""
# All but the calls of CUDA itself, at a small size.
FEWSHOT = """
import dataclasses
benchmark.STEPS = 8
benchmark.SETTINGS = dataclasses.replace(benchmark.SETTINGS, candidates=[benchmark.Candidate(0.0, 8)])
per_second, plain, equal = benchmark.measure_stacked("cpu", 60, 3, at_once=2)
assert equal and plain > 0
print(*per_second)
"""
SCOUTS = """
slow, fast = benchmark.measure_stack("cpu", 60, 3, repeats=1)
assert slow > 0 and fast > 0
print(benchmark.largest_difference_of_stack(60, 3, "cpu", torch.float64))
"""


def run(name, program):
    path = Path(scarceseq.__file__).parents[3] / f"benchmarks/{name}.py"
    command = [sys.executable, "-c", BEGIN + program, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_benchmark_of_fits_reports_every_gradient_trained_method():
    assert run("fewshot", FEWSHOT).splitlines()[-1].split() == [
        name for name in TRAINED if name.partition("@")[2] in ("", "per_tensor")
    ]


def test_the_benchmark_of_scouts_finds_the_same_displacements_at_once_as_one_after_another():
    assert float(run("scouts", SCOUTS).splitlines()[-1]) < 1e-9

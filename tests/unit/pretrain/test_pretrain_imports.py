"""Training modules import on a machine that has torch, numpy and safetensors, and nothing else of ours."""

import subprocess
import sys
from pathlib import Path

import scarceseq

TRAINING_MODULES = {
    "corpus": ["loader", "order", "rows"],
    "pretrain": [
        "batches",
        "checkpoint",
        "classifier",
        "distributed",
        "evaluation",
        "events",
        "fused_linear",
        "gene_layers",
        "imputation",
        "masking",
        "model",
        "normalisation",
        "run",
        "run_state",
        "task",
        "training",
        "watch",
    ],
    "pretrain.architectures": ["mlp", "transformer"],
    "pretrain.objectives": ["masked_expression", "read_counts", "labels", "study_adversary", "study_differences"],
    "guide": ["settings", "scout_data", "scouts", "stacked", "displacement", "guides"],
    "": ["device", "errors", "files", "progress", "registry", "runtime", "seeds"],
    "statistics": ["outcomes", "writer"],
}

PROGRAM = """
import importlib, sys
for name in ("pandas", "sklearn", "snakemake", "scipy", "anndata", "scanpy", "pyarrow", "matplotlib"):
    sys.modules[name] = None  # any import of it fails
for name in sys.argv[1:]:
    importlib.import_module("scarceseq." + name)
print("imported")
"""


def test_training_rooms_need_torch_numpy_and_safetensors_only():
    scripts = Path(scarceseq.__file__).parents[1]
    names = [f"{room}.{module}".lstrip(".") for room, modules in TRAINING_MODULES.items() for module in modules]
    command = [sys.executable, "-c", PROGRAM, *names]
    done = subprocess.run(command, capture_output=True, text=True, cwd=scripts, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "imported\n"


BENCHMARK = """
import importlib.util, sys
for name in "pandas sklearn snakemake scipy anndata scanpy pyarrow matplotlib yaml numba h5py".split():
    sys.modules[name] = None
spec = importlib.util.spec_from_file_location("benchmark", sys.argv.pop(1))
benchmark = importlib.util.module_from_spec(spec)
spec.loader.exec_module(benchmark)
import numpy, torch
arguments = benchmark.parse_arguments()
path, labels = sys.argv[-1] + "/training.npy", sys.argv[-1] + "/labels.npy"
numpy.save(labels, benchmark.generate(path, arguments.samples, arguments.genes))
arguments.interval, arguments.rounds, arguments.repeats, arguments.plain_rounds = 4, 1, 1, 0
for network in arguments.networks:
    found, work = benchmark.speed(network, path, labels, arguments, torch.device("cpu"))
    matrix = benchmark.labelled(path, numpy.load(labels))
    plain = benchmark.plain_loop(path, numpy.load(labels), network, benchmark.settings_of(network, arguments),
                                 torch.device("cpu"), 0, 3)
    found["plain", 0] = [plain]
    benchmark.report(network, found, work, arguments)
"""


def test_the_benchmark_of_a_gpu_machine_needs_no_more(tmp_path):
    """All but the calls of CUDA itself: ``--device cuda`` chooses the sizes and what is printed."""
    benchmark = Path(scarceseq.__file__).parents[3] / "benchmarks/pretrain.py"
    sizes = ["--device", "cuda", "--genes", "40", "--samples", "128", "--batch", "32", "--steps", "12"]
    command = [sys.executable, "-c", BENCHMARK, str(benchmark), *sizes, "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("100 passes over 400,000 samples") == 2


def test_the_blocked_import_would_be_noticed():
    """The oracle above can fail: a module that makes tables does not import under the same block."""
    scripts = Path(scarceseq.__file__).parents[1]
    command = [sys.executable, "-c", PROGRAM, "guide.plan"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=scripts, check=False)
    assert "ModuleNotFoundError" in done.stderr

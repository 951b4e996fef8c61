"""Training modules import on a machine that has torch, numpy and safetensors, and nothing else of ours."""

import subprocess
import sys
from pathlib import Path

import scarceseq

TRAINING_MODULES = {
    "corpus": ["loader", "order", "rows"],
    "pretrain": [
        "batches",
        "cache",
        "checkpoint",
        "classifier",
        "distributed",
        "evaluation",
        "events",
        "imputation",
        "masking",
        "model",
        "normalisation",
        "precision",
        "products",
        "progress",
        "run",
        "schedule",
        "task",
        "training",
        "watch",
    ],
    "pretrain.architectures": ["mlp", "transformer"],
    "pretrain.objectives": ["masked_expression", "read_counts", "labels", "study_adversary"],
    "guide": ["settings", "scouts", "displacement", "guides"],
    "": ["device", "errors", "files", "registry", "runtime", "seeds"],
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


def test_the_blocked_import_would_be_noticed():
    """The oracle above can fail: a module that makes tables does not import under the same block."""
    scripts = Path(scarceseq.__file__).parents[1]
    command = [sys.executable, "-c", PROGRAM, "guide.plan"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=scripts, check=False)
    assert "ModuleNotFoundError" in done.stderr

"""The script for a GPU machine runs all its parts with nothing but torch, numpy, safetensors, and keeps their results.

The card's calls are answered by the processor (`cuda_stand_in.py`), so what is compared is a computation with itself:
that the checks can fail is tested by computing something else.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
STAND_IN = f"{sys.executable} {ROOT / 'tests/unit/cuda_stand_in.py'}"
CHECKS = {
    *("pretraining", "evaluation", "fits", "scouts", "gears", "gears_single"),
    *("stream", "little_memory", "two_processes"),
}
# Predictions of the device that are off by a part in a million.
WRONG = """
import sys
sys.path.insert(0, "benchmarks/tools")
import gpu_checks
true = gpu_checks.predictions
gpu_checks.predictions = lambda device, *more: true(device, *more) * (1 + 1e-6 * (device != "cpu"))
found = gpu_checks.check_fits("cuda", "")
print(found[0] > found[1], gpu_checks.difference([1.0, 2.0], [1.0, 2.1]))
"""


def run(command, **more):
    environment = os.environ | {"PYTHON": STAND_IN, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, **more)


@pytest.mark.slow
def test_every_part_runs_and_its_result_is_kept(tmp_path):
    done = run(["bash", "benchmarks/gpu.sh", str(tmp_path), "--tiny"])
    kept = {path.stem.removeprefix("gpu_"): json.loads(path.read_text()) for path in tmp_path.glob("gpu_*.json")}
    assert kept.keys() == {"checks", "scouts", "fewshot", "pretrain"}, done.stdout + done.stderr
    assert kept["checks"]["detail"]["checks"].keys() == CHECKS
    assert all(check["equal"] for check in kept["checks"]["detail"]["checks"].values()), kept["checks"]["detail"]
    for name, result in kept.items():
        assert {"ratio", "equal", "device", "detail", "date", "machine", "commit"} <= result.keys()
        assert result["device"] == "stand-in", name


def test_a_difference_beyond_the_tolerance_is_seen():
    done = run([*STAND_IN.split(), "-c", WRONG])
    assert done.stdout.split()[:1] == ["True"], done.stderr
    assert abs(float(done.stdout.split()[1]) - 0.05) < 1e-9


def test_a_machine_without_a_card_is_told_so(tmp_path):
    environment = os.environ | {"PYTHON": sys.executable, "CUDA_VISIBLE_DEVICES": ""}
    command = ["bash", "benchmarks/gpu.sh", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, list(tmp_path.iterdir())) == (2, [])
    assert "torch finds no CUDA device" in done.stderr

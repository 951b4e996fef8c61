"""The benchmark of the loader judges rows rightly. Oracle: readers that are wrong on purpose."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

ROWS = 2500  # two digits
PATH = Path(__file__).parents[3] / "benchmarks/loader.py"


@pytest.fixture(scope="module")
def benchmark():
    specification = importlib.util.spec_from_file_location("loader_benchmark", PATH)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def matrix(benchmark, tmp_path):
    benchmark.write_matrix(tmp_path / "training.npy", ROWS, 6)
    return np.load(tmp_path / "training.npy", mmap_mode="r")


def test_all_readers_of_the_benchmark_give_each_row_once(benchmark, matrix):
    assert benchmark.row_numbers(matrix).tolist() == list(range(ROWS))
    assert benchmark.rows_are_right(matrix, benchmark.ours(matrix, 1, 3))
    assert benchmark.rows_are_right(matrix, benchmark.bare(matrix, 1, 3))


def test_readers_that_lose_repeat_or_change_rows_are_found(benchmark, matrix):
    whole = np.array(matrix)
    changed = whole.copy()
    changed[5, 3] += 1
    assert not benchmark.rows_are_right(matrix, [whole[:-1]])
    assert not benchmark.rows_are_right(matrix, [whole, whole[:1]])
    assert not benchmark.rows_are_right(matrix, [changed])
    assert not benchmark.rows_are_right(matrix, benchmark.ours(matrix, 2, 3))


def test_the_disk_is_read_to_the_last_byte(benchmark, matrix, tmp_path, monkeypatch):
    read = []
    preadv = benchmark.os.preadv
    monkeypatch.setattr(benchmark.os, "preadv", lambda *call: read.append(preadv(*call)) or read[-1])
    monkeypatch.setattr(benchmark, "BLOCK_BYTES", 4096)
    assert benchmark.read_through(tmp_path / "training.npy", direct=False) > 0
    assert sum(read) == (tmp_path / "training.npy").stat().st_size

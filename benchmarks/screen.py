"""Ingestion of a large screen in bounded memory: the rules normalise_cells and prepare_screen on generated counts.

Bars: 162,000 cells x 5,000 genes with a peak of less than 4 GB of resident memory (ratio 4 GB / peak); the differential
tests of a part of it at least as fast as pdex and crispyx on one thread (ratio their seconds / ours). Oracles: profiles
of some perturbations computed from the counts by numpy alone; the peers' scores.
"""

import argparse
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow/scripts"))
sys.path.insert(0, str(Path(__file__).parent / "tools"))
os.environ["NUMBA_NUM_THREADS"] = "1"  # before numba is imported, here and in child processes

import anndata
import h5py
import numpy as np
import pandas as pd
from anndata.io import write_elem
from scarceseq.screen.cell_normalisation import normalise_cells
from scarceseq.screen.prepare import prepare_screen
from scarceseq.screen.settings import ScreenSettings
from scipy import sparse
from screen_peers import LARGEST_DIFFERENCE, race

BAR_MB = 4000
RACED = 60
CELLS_PER_BLOCK = 2_000
CHECKED = 3


def labels_of(cells, perturbations):
    """One cell in fifteen is control; the others are of random perturbations."""
    drawn = np.random.default_rng(0).integers(perturbations, size=cells)
    names = np.array([f"G{gene}" for gene in range(perturbations)])
    return np.where(np.arange(cells) % 15 == 0, "control", names[drawn])


def counts_of(block, cells, genes):
    """Counts of one block of cells; about a quarter is not zero."""
    rate = np.random.default_rng(1).lognormal(-2.5, 1.8, genes)
    return np.random.default_rng(2 + block).poisson(rate, size=(cells, genes))


def blocks(cells):
    """(block, first, last) of the blocks that are drawn together."""
    for block, start in enumerate(range(0, cells, CELLS_PER_BLOCK)):
        yield block, start, min(start + CELLS_PER_BLOCK, cells)


def generate(path, cells, genes, perturbations):
    """Write the screen; returns the number of stored values."""
    obs = pd.DataFrame({"perturbation": pd.Categorical(labels_of(cells, perturbations))})
    obs.index = obs.index.astype(str)
    var = pd.DataFrame(index=[f"G{gene}" for gene in range(genes)])
    with h5py.File(path, "w") as handle:
        write_elem(handle, "/", anndata.AnnData(obs=obs, var=var))
        group = handle.create_group("X") if "X" not in handle else handle["X"]
        group.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0", "shape": [cells, genes]})
        options = {"shape": (0,), "maxshape": (None,), "chunks": (1 << 18,), "compression": "lzf"}
        data = group.create_dataset("data", dtype=np.float32, **options)
        indices = group.create_dataset("indices", dtype=np.int32, **options)
        starts = [0]
        for block, first, last in blocks(cells):
            rows = sparse.csr_matrix(counts_of(block, last - first, genes).astype(np.float32))
            for dataset, values in ((data, rows.data), (indices, rows.indices)):
                dataset.resize(starts[-1] + len(values), axis=0)
                dataset[starts[-1] :] = values
            starts.extend(starts[-1] + rows.indptr[1:].astype(np.int64))
        group.create_dataset("indptr", data=np.array(starts, dtype=np.int64))
    return starts[-1]


def ingest(folder):
    """Both steps: their seconds, peak in MB of the process, and profiles."""
    settings = ScreenSettings("cells")
    begin = time.perf_counter()
    normalise_cells(folder / "screen.h5ad", folder / "cells.h5ad", settings, {})
    middle = time.perf_counter()
    screen = prepare_screen("benchmark", folder / "cells.h5ad", settings, 1)
    end = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    profiles = screen["profiles"].to_df().iloc[:CHECKED]
    return {"normalise_cells": middle - begin, "prepare_screen": end - middle}, peak, profiles


def compare(folder, genes):
    """The differential tests of `RACED` perturbations, as large as those of the whole screen: rows of `race`."""
    for name, cells, width, perturbations in (("race", 150 * RACED, genes, RACED), ("small", 600, 200, 4)):
        generate(folder / f"{name}.h5ad", cells, width, perturbations)
        normalise_cells(folder / f"{name}.h5ad", folder / f"{name}_cells.h5ad", ScreenSettings("cells"), {})
    return race(folder / "race_cells.h5ad", folder / "small_cells.h5ad")


def in_a_process(function, *arguments):
    """What a function returns in a process of its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def expected(cells, genes, perturbations, names):
    """Profiles from the counts, a block at a time, without the package."""
    labels, total = labels_of(cells, perturbations), {name: np.zeros(genes) for name in ("control", *names)}
    for block, first, last in blocks(cells):
        counts = counts_of(block, last - first, genes).astype(float)
        values = np.log1p(counts / counts.sum(axis=1, keepdims=True) * 1e4)
        for name in total:
            total[name] += values[labels[first:last] == name].sum(axis=0)
    mean = {name: value / (labels == name).sum() for name, value in total.items()}
    return np.array([mean[name] - mean["control"] for name in names])


def main():
    """Generate, measure, check, print; exit 0 if the bar is met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a smaller screen")
    quick = parser.parse_args().quick
    cells, genes, perturbations = (12_000, 2_000, 100) if quick else (162_000, 5_000, 1_092)
    with tempfile.TemporaryDirectory() as folder:
        stored = generate(Path(folder) / "screen.h5ad", cells, genes, perturbations)
        seconds, peak, profiles = in_a_process(ingest, Path(folder))
        try:
            tests = in_a_process(compare, Path(folder), genes)
        except ImportError as error:
            sys.exit(f"{error}; install what benchmarks are compared with by `make .venv/peers`")
    truth = expected(cells, genes, perturbations, list(profiles.index))
    difference = float(np.abs(profiles.to_numpy() - truth).max())
    print(f"{cells:,} cells x {genes:,} genes, {perturbations:,} perturbations, {stored / 1e6:,.0f} million values")
    print("seconds:", {step: round(value, 1) for step, value in seconds.items()})
    print(f"peak {peak:,.0f} MB of {BAR_MB:,}; largest difference to numpy {difference:.1e}")
    peers = [row for row in tests if row["by"] != "scarceseq"]
    for row in tests:
        print(f"{row['test']} by {row['by']}: {np.median(row['seconds']):.1f} s (of {len(row['seconds'])} rounds)")
    for row in peers:
        spread = f"{row['ratio']:.2f} ({row['ratio_low']:.2f} to {row['ratio_high']:.2f})"
        print(f"{row['test']}: {row['by']} takes {spread} times as long, {row['largest_difference']:.1e} apart")
    same = max(row["largest_difference"] for row in peers) < LARGEST_DIFFERENCE
    faster = min(row["ratio"] for row in peers)
    detail = {"shape": [cells, genes], "perturbations": perturbations, "stored_values": int(stored), "peak_mb": peak}
    detail |= {"seconds": seconds, "largest_difference": difference, "load_average": os.getloadavg()}
    detail |= {"differential_tests": tests}
    result = {"name": "screen", "ratio": min(BAR_MB / peak, faster), "target": 1, "device": "cpu"}
    result["equal"] = difference < 1e-5 and same
    print(json.dumps(result | {"detail": detail}))
    sys.exit(0 if result["ratio"] >= 1 and result["equal"] else 1)


if __name__ == "__main__":
    main()

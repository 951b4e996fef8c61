"""Loader: batches of 256 truly random rows of a generated training matrix, from memory and from disk.

Bars: 0.7 of a bare numpy gather on the same memory map (warm); 4 times scDataset on the same file, at the fastest of
the settings of its documentation (warm); half the rate at which the disk is read from end to end (cold). Rows are
compared with the matrix, and each must come exactly once per pass.

scDataset is timed at other settings too. One batch at a time, it copies each row twice, and no reader is then 4 times
as fast, since a plain copy is not. The memory allocator is as Python finds it, on all sides. With ``--device cuda``
both modes of the loader are timed too.
"""

import argparse
import gc
import itertools
import json
import mmap
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

from scarceseq.corpus.loader import Loader
from scarceseq.corpus.order import cut, draw_passes
from scarceseq.corpus.transform import TRAINING_TYPE

BATCH_ROWS = 256
BARS = {"numpy": 0.7, "scdataset": 4.0, "disk": 0.5}
BLOCK_BYTES = 2**23
# Half precision is exact for whole numbers up to 2048.
DIGIT = 1024
# Size of blocks drawn, batches fetched at once, worker processes. The example of the documentation, with as many
# workers as two cores carry and without; the package's own default of batches; then others, of which the first two are
# truly random, as ours is.
DOCUMENTED = [(16, 8, 2), (16, 8, 0), (16, 16, 0)]
OTHERS = [(1, 16, 0), (1, 1, 0), (16, 1, 0), (64, 16, 0)]


def write_matrix(path, rows, genes):
    """A training matrix whose first two columns are the number of the row, in digits of base 1024."""
    values = np.random.default_rng(0).random((512, genes), dtype=np.float32).astype(TRAINING_TYPE)
    with open(path, "wb") as handle:
        header = {"descr": TRAINING_TYPE.str, "fortran_order": False, "shape": (rows, genes)}
        np.lib.format.write_array_header_1_0(handle, header)
        for start in range(0, rows, len(values)):
            block = values[: rows - start]
            block[:, 0], block[:, 1] = np.divmod(np.arange(start, start + len(block)), DIGIT)
            handle.write(block.data)
        handle.flush()
        os.fsync(handle.fileno())


def row_numbers(values):
    """Of rows as `write_matrix` made them."""
    return values[:, 0].astype(int) * DIGIT + values[:, 1].astype(int)


def bare(matrix, passes, seed):
    """A gather by numpy for each batch."""
    for order in itertools.islice(draw_passes(np.arange(len(matrix)), seed), passes):
        for rows in cut(order, BATCH_ROWS):
            yield matrix[rows]


def copied(matrix, passes):
    """Neighbouring rows, copied into one buffer: what no reader of rows is faster than on one core."""
    buffer = np.empty((BATCH_ROWS, matrix.shape[1]), dtype=matrix.dtype)
    for start in [*range(0, len(matrix) - BATCH_ROWS + 1, BATCH_ROWS)] * passes:
        np.copyto(buffer, matrix[start : start + BATCH_ROWS])
        yield buffer


def ours(matrix, passes, seed, **options):
    """The loader, as pre-training makes it."""
    orders = itertools.islice(draw_passes(np.arange(len(matrix)), seed), passes)
    batches = itertools.chain.from_iterable(cut(order, BATCH_ROWS) for order in orders)
    for _, values in Loader(matrix, batches, **options):
        yield values


def peer(matrix, setting, seed):
    """scDataset on the same memory map, in a DataLoader as its documentation shows."""
    from scdataset import BlockShuffling, scDataset
    from torch.utils.data import DataLoader

    block, fetched, workers = setting
    data = scDataset(matrix, BlockShuffling(block_size=block), batch_size=BATCH_ROWS, fetch_factor=fetched, seed=seed)
    ahead = {"num_workers": workers, "prefetch_factor": fetched + 1} if workers else {}
    return DataLoader(data, batch_size=None, **ahead)


def rate(batches, device="cpu"):
    """Rows per second."""
    rows, start = 0, time.perf_counter()
    for values in batches:
        rows += len(values)
    if device == "cuda":
        torch.cuda.synchronize()
    return rows / (time.perf_counter() - start)


def rows_are_right(matrix, batches):
    """Whether each row comes exactly once, as it is in the matrix."""
    seen = np.zeros(len(matrix), dtype=int)
    for values in batches:
        values = np.asarray(values.cpu() if torch.is_tensor(values) else values)
        rows = row_numbers(values)
        seen[rows] += 1
        if not np.array_equal(values, matrix[rows]):
            return False
    return bool((seen == 1).all())


def warm(path, rounds, passes, threads, peers):
    """Rows per second of each side, one list entry per round; the sides take turns."""
    matrix = np.load(path, mmap_mode="r")
    sides = {
        "numpy": lambda seed: bare(matrix, passes, seed),
        "ours": lambda seed: ours(matrix, passes, seed, threads=threads),
        "numpy again": lambda seed: bare(matrix, passes, seed),
        "ours again": lambda seed: ours(matrix, passes, seed, threads=threads),
        "copy from end to end": lambda seed: copied(matrix, passes),
    }
    sides |= {setting: (lambda seed, setting=setting: peer(matrix, setting, seed)) for setting in peers}
    rate(bare(matrix, 1, 0))
    found = {name: [] for name in sides}
    for seed in range(rounds):
        for name, side in sides.items():
            found[name].append(rate(side(seed)))
    right = rows_are_right(matrix, ours(matrix, 1, 99, threads=threads))
    return found, right and all(rows_are_right(matrix, peer(matrix, setting, 99)) for setting in peers)


def forget(path):
    """Drop the file's pages from memory; nothing may have it mapped."""
    gc.collect()
    with open(path, "rb") as handle:
        os.posix_fadvise(handle.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def read_through(path, direct):
    """Bytes per second of reading the file from end to end, past the page cache or through it."""
    forget(path)
    handle = os.open(path, os.O_RDONLY | (os.O_DIRECT if direct else 0))
    buffer, place, start = mmap.mmap(-1, BLOCK_BYTES), 0, time.perf_counter()
    while (count := os.preadv(handle, [buffer], place)) > 0:
        place += count
        if place % BLOCK_BYTES:
            break
    seconds = time.perf_counter() - start
    os.close(handle)
    return place / seconds


def cold(path, rounds, threads):
    """Bytes per second of the disk from end to end, of the loader and of bare numpy; one list entry per round."""
    found = {"end to end": [], "end to end, uncached": [], "ours": [], "numpy": []}
    for seed in range(rounds):
        found["end to end, uncached"].append(read_through(path, direct=True))
        for name, side in {"ours": lambda *a: ours(*a, threads=threads), "numpy": bare}.items():
            forget(path)
            matrix = np.load(path, mmap_mode="r")
            found[name].append(rate(side(matrix, 1, seed)) * matrix.shape[1] * matrix.itemsize)
            del matrix
        found["end to end"].append(read_through(path, direct=False))
    return found


def on_device(path, device, passes):
    """Rows per second of both modes, once the corpus is there."""
    matrix = np.load(path, mmap_mode="r")
    found = {}
    for mode in ("stream", "resident"):
        batches = ours(matrix, passes + 1, 1, device=device, mode=mode)
        rate(itertools.islice(batches, -(-len(matrix) // BATCH_ROWS)))
        found[mode] = rate(batches, device)
    return found | {"chosen": Loader(matrix, [], device).mode}


def compare(found, sides, others):
    """Mean of `sides` over the fastest of `others`, or over their mean if they are one side twice; median of rounds.

    Only what was measured in one round is compared, since other work on the machine comes and goes.
    """
    upper = np.mean([found[side] for side in sides], axis=0)
    lower = (np.mean if others[-1] == "numpy again" else np.max)([found[side] for side in others], axis=0)
    return float(np.median(upper / lower))


def print_rates(title, found, unit, divisor):
    """Median, lowest and highest of each side."""
    print(f"{title:44s} {'median':>9s} {'lowest':>9s} {'highest':>9s}  {unit}")
    for name, rates in found.items():
        if isinstance(name, tuple):
            name = "scDataset: block {}, fetch {}, workers {}".format(*name)
        low, middle, high = (value / divisor for value in np.quantile(rates, [0, 0.5, 1]))
        print(f"  {name:42s} {middle:9.2f} {low:9.2f} {high:9.2f}")


def measure(path, arguments, peers):
    """The result of the contract."""
    warm_rates, equal = warm(path, arguments.rounds, arguments.passes, arguments.threads, peers)
    cold_rates = cold(path, arguments.rounds, arguments.threads)
    print_rates("warm", warm_rates, "thousand rows/s", 1e3)
    print_rates("cold", cold_rates, "GB/s", 1e9)
    figures = {"numpy": compare(warm_rates, ["ours", "ours again"], ["numpy", "numpy again"])}
    figures["disk"] = compare(cold_rates, ["ours"], ["end to end", "end to end, uncached"])
    if peers:
        figures["scdataset"] = compare(warm_rates, ["ours", "ours again"], DOCUMENTED)
        best = compare(warm_rates, ["ours", "ours again"], peers), compare(warm_rates, ["copy from end to end"], peers)
        print("the fastest of all settings of scDataset: ours {:.2f}, a copy {:.2f} times as fast".format(*best))
    for name, figure in figures.items():
        print(f"bar {name:10s} {figure:6.2f} of {BARS[name]:g}{'' if figure >= BARS[name] else '   MISSED'}")
    print("rows as in the matrix, each once per pass:", equal)
    print(f"cores: {os.cpu_count()}; load average: {os.getloadavg()[0]:.1f}")
    detail = {
        "shape": [arguments.samples, arguments.genes],
        "threads": arguments.threads,
        "load_average": os.getloadavg(),
        "bars": {name: [figure, BARS[name]] for name, figure in figures.items()},
        "warm_rows_per_second": {str(name): rates for name, rates in warm_rates.items()},
        "cold_bytes_per_second": cold_rates,
    }
    if arguments.device == "cuda":
        detail["device_rows_per_second"] = on_device(path, arguments.device, arguments.passes)
        print("on the device, rows/s:", detail["device_rows_per_second"])
    ratio = min(figure / BARS[name] for name, figure in figures.items())
    device = torch.cuda.get_device_name() if arguments.device == "cuda" else "cpu"
    return {"name": "loader", "ratio": ratio, "target": 1, "equal": equal, "device": device, "detail": detail}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a smaller matrix, fewer rounds")
    parser.add_argument("--samples", type=int)
    parser.add_argument("--genes", type=int, default=20_000)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--passes", type=int, default=3, help="over the matrix, in one measurement from memory")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="that share a batch of ours")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--folder", help="on the disk to be measured; the system's temporary folder if not given")
    arguments = parser.parse_args()
    arguments.samples = arguments.samples or (4_096 if arguments.quick else 20_480)
    arguments.rounds = arguments.rounds or (2 if arguments.quick else 5)
    return arguments


def main():
    """Generate the matrix, measure, print; exit 0 if all bars are met."""
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        path = Path(folder) / "training.npy"
        write_matrix(path, arguments.samples, arguments.genes)
        try:
            import scdataset  # noqa: F401
        except ImportError:
            print("scDataset is not installed (envs/peers.txt): its bar is left out")
            result = measure(path, arguments, [])
        else:
            result = measure(path, arguments, DOCUMENTED + OTHERS)
    print(json.dumps(result))
    sys.exit(0 if result["ratio"] >= 1 and result["equal"] else 1)


if __name__ == "__main__":
    main()

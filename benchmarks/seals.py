"""Checksums: what checking the training matrix costs beside a pass of pre-training over it.

Bar: under 5 % of a pass, at 20,000 genes, of the network that trains fastest (`pretrain.py`, labels), both in processor
time of one thread. Both grow with the number of samples, so that the share at all of mouse is that at any size. The
values read through the checksums must be those of the file, and a flipped bit must be noticed.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pretrain  # the benchmark beside this one, which also makes the package known
import torch
from scarceseq import runtime
from scarceseq.errors import InputError
from scarceseq.seals import load_rows, write_seal

BAR = 0.05
MOUSE_SAMPLES = 190_111
ROUNDS = 5


def check_seconds(path, batch, seed):
    """Processor seconds to check all rows once, in truly random batches, by one thread."""
    rows = load_rows(path)
    order = np.random.default_rng(seed).permutation(len(rows))
    begin = time.process_time()
    for start in range(0, len(order), batch):
        rows.check_rows(order[start : start + batch])
    return time.process_time() - begin


def notices(path):
    """Whether values come through as they are, and a flipped bit does not."""
    plain, rows = np.load(path, mmap_mode="r"), load_rows(path)
    chosen = np.random.default_rng(1).permutation(len(plain))[:200]
    equal = np.array_equal(rows[chosen], plain[chosen])
    place = path.stat().st_size - plain[0].nbytes // 2
    with open(path, "r+b") as handle:
        handle.seek(place)
        byte = handle.read(1)[0]
        handle.seek(place)
        handle.write(bytes([byte ^ 1]))
    try:
        load_rows(path)[len(plain) - 1]
    except InputError:
        return equal
    return False


def main():
    """Measure, print a table and the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--samples", type=int, default=8192)
    parser.add_argument("--genes", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--steps", type=int, default=12)
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.samples, arguments.steps = 2048, 4
    arguments.interval = 2
    torch.set_num_threads(1)
    pretrain.clock = "processor"
    runtime.keep_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "training.npy")
        labels = pretrain.generate(path, arguments.samples, arguments.genes)
        write_seal(path)
        matrix, settings = pretrain.labelled(path, labels), pretrain.settings_of("labels", arguments)
        check, step = [], []
        for turn in range(ROUNDS):
            check.append(check_seconds(path, arguments.batch, turn))
            step.append(pretrain.full_loop(matrix, settings, torch.device("cpu")))
        equal = notices(path)
        size = path.stat().st_size
    a_pass = float(np.median(step)) * arguments.samples / arguments.batch
    share = float(np.median(check)) / a_pass
    rate = size / float(np.median(check))
    mouse = 2 * MOUSE_SAMPLES * arguments.genes / rate
    print(f"check of {size / 1e9:.2f} GB: {np.median(check):.3f} s, {rate / 1e9:.1f} GB/s; all of mouse {mouse:.1f} s")
    print(f"pass of {arguments.samples} samples: {a_pass:.1f} s; the check is {share:.2%} of it, bar {BAR:.0%}")
    detail = {"check_seconds_all_of_mouse": mouse, "share_of_a_pass": share, "bytes_per_second": rate}
    ratio = BAR / share
    print(json.dumps({"name": "seals", "ratio": ratio, "target": 1, "equal": equal, "device": "cpu", "detail": detail}))
    return 0 if ratio >= 1 and equal else 1


if __name__ == "__main__":
    sys.exit(main())

"""Memory of reading one study does not grow with its runs. Oracle: the peak of a process of its own."""

import gzip
import subprocess
import sys
from pathlib import Path

GENES = 2000
READ = """
import resource, sys
import numpy as np
from scarceseq.archive.gene_sums import GeneNames
from scarceseq.archive.verify import verify_gene_sums
from scarceseq.corpus.run_sums import RunSums

path, genes = sys.argv[1], [f"g{index}" for index in range(int(sys.argv[2]))]
runs = [f"r{index}" for index in range(int(sys.argv[3]))]
assert verify_gene_sums(path, "M023", GeneNames(genes), set(runs)).columns == len(runs)
totals, zeros = RunSums(path, len(genes)).statistics(runs, np.ones(len(genes), dtype=bool))
assert (totals == 2 * len(genes)).all() and not zeros.any()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)
"""


def peak_mb(path, runs):
    row = "\t2" * runs + "\n"
    with gzip.open(path, "wt", compresslevel=1) as handle:
        handle.write("##annotation=M023\ngene_id\t" + "\t".join(f"r{index}" for index in range(runs)) + "\n")
        handle.writelines(f"g{index}{row}" for index in range(GENES))
    package = Path(__file__).parents[3] / "workflow/scripts"
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path), str(GENES), str(runs)],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(package), "OMP_NUM_THREADS": "1"},
    )
    return float(done.stdout)


def test_reading_a_study_of_many_runs_takes_no_more_memory_than_one_of_few(tmp_path):
    few, many = peak_mb(tmp_path / "few.gz", 100), peak_mb(tmp_path / "many.gz", 20_000)
    held_whole = GENES * 20_000 * 8 / 1e6  # 320 MB
    assert many - few < held_whole / 3

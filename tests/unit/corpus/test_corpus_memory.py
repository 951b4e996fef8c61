"""Memory does not grow with the runs of a study, nor with the studies of a batch. Oracle: the peak of a process of its
own, beside what holding everything would take."""

import gzip
import subprocess
import sys
from pathlib import Path

GENES = 2000
READ = """
import resource, sys
import numpy as np
import pandas as pd
from scarceseq.archive.gene_sums import GeneNames
from scarceseq.archive.verify import verify_gene_sums
from scarceseq.corpus import run_sums

run_sums.HELD_BYTES = run_sums.PIECE_BYTES = 16_000_000
path, genes = sys.argv[1], [f"g{index}" for index in range(int(sys.argv[2]))]
runs = [f"r{index}" for index in range(int(sys.argv[3]))]
assert verify_gene_sums(path, "M023", GeneNames(genes), set(runs)).columns == len(runs)
sums = run_sums.RunSums(path, len(genes))
totals, zeros = sums.statistics(runs, np.ones(len(genes), dtype=bool))
assert (totals == 2 * len(genes)).all() and not zeros.any()
read = 0
for counts in sums.of_samples(pd.Series(runs, index=runs), runs):
    assert (counts == 2).all()
    read += len(counts)
assert read == len(runs)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)
"""
BUILD = """
import resource, sys
from pathlib import Path
import pandas as pd
from scarceseq.archive.fetch import fetch_batch
from scarceseq.archive.layout import Study
from scarceseq.archive.mirrors import DownloadSettings, Mirrors
from scarceseq.corpus.filters import RunFilter
from scarceseq.corpus.shard import build_shard

folder, genes, runs = Path(sys.argv[1]), [f"g{index}" for index in range(int(sys.argv[2]))], int(sys.argv[3])
planned = [
    (Study("mouse", "sra", path.name), {f"{path.name}r{index}" for index in range(runs)})
    for path in sorted(folder.glob("mouse/data_sources/sra/gene_sums/00/*"))
]
entries = fetch_batch(Mirrors([str(folder)], DownloadSettings(1, 0, 0, 5)), planned, "M023", genes, folder / "batch")
rows = [(*("mouse", "sra", study.project), run, "0") for study, names in planned for run in names]
plan = pd.DataFrame(rows, columns=["organism", "source", "project", "run", "rail_id"])
annotation = pd.DataFrame({"gene_id": genes, "gene_name": "n", "gene_type": "protein_coding", "bp_length": 100})
everything = RunFilter(["rna-seq"], 0, [], 1.0, ["protein_coding"], 10**9)
shard = build_shard(plan, entries, folder / "batch", annotation, everything, [], 1, folder / "shard.h5ad")
assert not len(shard.dropped), shard.dropped
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)
"""


def peak_of(script, *arguments):
    package = Path(__file__).parents[3] / "workflow/scripts"
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(package), "OMP_NUM_THREADS": "1"},
    )
    assert not done.returncode, done.stderr
    return float(done.stdout)


def write_gene_sums(path, runs):
    """Every run has 2 in every gene."""
    path.parent.mkdir(parents=True, exist_ok=True)
    row = "\t2" * len(runs) + "\n"
    with gzip.open(path, "wt", compresslevel=1) as handle:
        handle.write("##annotation=M023\n" + "\t".join(["gene_id", *runs]) + "\n")
        handle.writelines(f"g{index}{row}" for index in range(GENES))


def peak_of_reading(path, runs):
    write_gene_sums(path, [f"r{index}" for index in range(runs)])
    return peak_of(READ, path, GENES, runs)


def test_reading_a_study_of_many_runs_takes_no_more_memory_than_one_of_few(tmp_path):
    few, many = peak_of_reading(tmp_path / "few.gz", 100), peak_of_reading(tmp_path / "many.gz", 20_000)
    held_whole = GENES * 20_000 * 8 / 1e6  # 320 MB
    assert many - few < held_whole / 3


def peak_of_building(folder, studies, runs):
    home = folder / "mouse/data_sources/sra"
    for index in range(studies):
        project = f"SRP{index:03d}00"
        names = [f"{project}r{number}" for number in range(runs)]
        write_gene_sums(home / f"gene_sums/00/{project}/sra.gene_sums.{project}.M023.gz", names)
        columns = {"sra": [], "recount_qc": ["bc_auc.all_reads_all_bases", "star.all_mapped_reads"]}
        for table, further in columns.items():
            path = home / f"metadata/00/{project}/sra.{table}.{project}.MD.gz"
            path.parent.mkdir(parents=True, exist_ok=True)
            lines = [["rail_id", "external_id", "study", *further]]
            lines += [["0", name, project, *("9" for _ in further)] for name in names]
            path.write_bytes(gzip.compress("".join("\t".join(line) + "\n" for line in lines).encode()))
    return peak_of(BUILD, folder, GENES, runs)


def test_building_a_shard_of_many_studies_takes_no_more_memory_than_one_of_few(tmp_path):
    few, many = peak_of_building(tmp_path / "few", 2, 500), peak_of_building(tmp_path / "many", 20, 500)
    held_whole = 20 * 500 * GENES * 8 / 1e6  # 160 MB
    assert many - few < held_whole / 4

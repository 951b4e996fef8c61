"""Memory does not grow with the runs of a study or the studies of a batch, and hardly with the samples of a corpus.
Oracle: the peak of a process of its own, beside what holding everything would take."""

import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from scarceseq.archive.counts import SAMPLE_COLUMNS, write_counts
from scarceseq.archive.filters import DROPPED_COLUMNS
from scarceseq.corpus.all_metadata import KEYS, write_metadata
from scarceseq.files import write_table

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
from scarceseq.archive.mirrors import Mirrors
from scarceseq.archive.settings import DownloadSettings
from scarceseq.corpus.settings import RunFilter
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
MERGE = """
import runpy, sys
from pathlib import Path
from types import SimpleNamespace

script, folder = sys.argv[1], Path(sys.argv[2])
suffixes = {"shards": "h5ad", "dropped": "dropped.tsv"}
suffixes |= {"attributes": "attributes.parquet", "metadata": "metadata.parquet"}
inputs = {name: sorted(map(str, folder.glob(f"*.{suffix}"))) for name, suffix in suffixes.items()}
inputs |= dict.fromkeys(["manifests", "studies", "corpora", "listed", "gene_list", "excluded", "vocabulary"], [])
names = ["corpus.h5ad", "training.npy", "samples.parquet", "genes.parquet", "attributes.parquet", "metadata.parquet"]
names += ["studies.tsv", "dropped.tsv", "orthologues.tsv", "excluded.tsv", "vocabulary.tsv"]
params = dict(max_failed_share=0, organism=None, gene_types=[], orthologues=None, excluded_studies=[])
params |= {"must_be_found": False, "vocabulary": {}, "measured_share": 1.0}
made = dict(input=inputs, output={name.split(".")[0]: folder / "corpus" / name for name in names}, params=params)
made = {name: SimpleNamespace(**parts) for name, parts in made.items()}
runpy.run_path(script, {"snakemake": SimpleNamespace(log=[folder / "log"], **made)})
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))  # rusage has the parent's too
print(int(peak.split()[1]) / 1000)
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


def write_shard(folder, number, samples, genes):
    """A shard as `build_shard` leaves it; every second run is dropped, every sample has 15 attributes."""
    names = [f"SRX{number:04d}{index:06d}" for index in range(samples)]
    table = pd.DataFrame({"runs": [name.replace("X", "R") for name in names]}, index=names)
    table = table.assign(study=f"SRP{number}", organism="mouse", source="sra", unit="base_coverage", auc=1.0)
    table = table.assign(mapped_reads=1.0, average_mapped_length=1.0)[SAMPLE_COLUMNS]
    counts = np.zeros((samples, len(genes)), dtype=np.int64)
    counts[:, 0], counts[:, 1] = np.arange(samples) + 1, number + 1
    write_counts(counts, table, genes, folder / f"{number}.h5ad")
    rows = [(f"SRP{number}", f"{run}_", "few_mapped_reads", "12") for run in table["runs"][::2]]
    write_table(pd.DataFrame(rows, columns=DROPPED_COLUMNS), folder / f"{number}.dropped.tsv")
    rows = [(name, f"key {key}", f"value {key} of {name}") for name in names for key in range(15)]
    write_table(pd.DataFrame(rows, columns=["sample", "key", "value"]), folder / f"{number}.attributes.parquet")
    columns = {key: list(table["runs"]) for key in KEYS}
    columns |= {f"sra.{column}": [f"{column} of {name}" for name in names] for column in range(20)}
    write_metadata([pa.table(columns)], folder / f"{number}.metadata.parquet")


def peak_of_merging(folder, shards, samples, genes):
    folder.mkdir()
    gene_ids = [f"ENSMUSG{index:011d}.1" for index in range(genes)]
    table = {
        "gene_name": [f"Gene{index}" for index in range(genes)],
        "gene_type": "x",
        "bp_length": 9,
        "measured": True,
    }
    for number in range(shards):
        write_shard(folder, number, samples, pd.DataFrame(table, index=gene_ids))
    return peak_of(MERGE, Path(__file__).parents[3] / "workflow/scripts/merge_corpus.py", folder)


def test_merging_holds_little_of_each_sample_and_none_of_its_attributes(tmp_path):
    few, many = (peak_of_merging(tmp_path / str(shards), shards, 2000, 10) for shards in (2, 12))
    held_whole = 10 * 2000 * 5.5 / 1e3  # 110 MB, measured: attributes as Python's objects are most of it
    assert many - few < held_whole / 2


def test_merging_holds_the_genes_of_one_file_however_many_there_are(tmp_path):
    few, many = (peak_of_merging(tmp_path / str(shards), shards, 2, 20_000) for shards in (2, 22))
    held_whole = 20 * 20_000 * 190 / 1e6  # 76 MB: identifiers, names and lengths
    assert many - few < held_whole / 4

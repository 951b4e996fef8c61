"""Archive: studies fetched from a loopback mirror, verified, parsed and stored, beside two other ways to do it.

Bars: 5 times the runs per second of the `recount3` client (1.3.0, fetch and parse of the same studies) with equal
counts; 4 times a pandas read of the same files into a memory map; no batch job above 1 GB, a giant study included.
Both sides write the same raw layout, int64, runs x genes, over a file that is laid out on disk before the clock starts,
so that what the file system needs to find room for it counts on no side. Study sizes are quantiles of the mouse
inventory's. The first bar compares each side as it is used on this machine: ours as one batch job per core, the client
in one process with downloads in threads (parsing in threads as well is slower); one process beside one is printed too.
"""

import argparse
import dataclasses
import hashlib
import json
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
sys.path.insert(0, str(Path(__file__).parent / "tools"))

import archive_mirror
from scarceseq.archive.fetch import fetch_batch
from scarceseq.archive.gene_sums import gene_sum_blocks, read_header
from scarceseq.archive.layout import Study, annotation_path, study_path
from scarceseq.archive.metadata import read_tables
from scarceseq.archive.mirrors import Mirrors
from scarceseq.archive.settings import DownloadSettings
from scarceseq.archive.tables import open_gzip, read_annotation
from scarceseq.corpus.run_sums import RunSums
from scarceseq.corpus.settings import RunFilter
from scarceseq.corpus.shard import build_study
from scarceseq.runtime import keep_freed_memory

ANNOTATION, GENES = "M023", archive_mirror.GENES
JOBS = os.cpu_count() or 1
DOWNLOAD = DownloadSettings(connections=8, retries=2, backoff_seconds=0.5, timeout_seconds=60)
# Every run is kept, so that both sides store the same.
OPEN_FILTER = {
    "kept_types": ["rna-seq"],
    "min_mapped_reads": 0,
    "excluded_library_selections": [],
    "max_zero_fraction": 1.0,
    "zero_fraction_gene_types": ["protein_coding"],
    "max_runs_per_study": 10**9,
}
BARS = {"client": 5.0, "pandas": 4.0, "memory": 1.0}
MEMORY_MB = 1000


def everything_kept():
    """A `RunFilter` that drops nothing; keys that this script does not know are left empty."""
    known = {field.name: OPEN_FILTER.get(field.name, []) for field in dataclasses.fields(RunFilter)}
    return RunFilter(**known)


def open_store(folder, name, studies, genes):
    """Memory map of all runs, laid out on disk with zeros, and the first row of each study."""
    rows = np.cumsum([0, *(len(runs) for _, runs in studies)])
    store = np.lib.format.open_memmap(folder / name, mode="w+", dtype=np.int64, shape=(int(rows[-1]), genes))
    with open(store.filename, "r+b") as handle:
        handle.seek(store.offset)
        for _ in range(len(store)):
            handle.write(bytes(store.strides[0]))
    os.sync()
    return store, rows


def write_rows(store, counts, row):
    """Write rows to their place in the file behind the memory map: cheaper than touching its pages."""
    with open(store.filename, "r+b") as handle:
        handle.seek(store.offset + int(row) * store.strides[0])
        handle.write(counts)


def ours_jobs(address, studies, folder):
    """As the workflow runs on this machine: one batch job per core, each a process; ({step: seconds}, names)."""
    parts = [[] for _ in range(JOBS)]
    for item in sorted(studies, key=lambda item: -len(item[1])):
        min(parts, key=lambda part: sum(len(runs) for _, runs in part)).append(item)
    store, rows = open_store(folder, "ours_jobs.npy", [item for part in parts for item in part], GENES)
    context = multiprocessing.get_context("spawn")
    barrier, queue = context.Barrier(JOBS + 1), context.Queue()
    processes, first = [], 0
    for job, part in enumerate(parts):
        home = folder / f"job_{job}"
        home.mkdir()
        shutil.copy(folder / "annotation.gtf.gz", home)
        arguments = (address, part, home, store.filename, int(rows[first]), barrier, queue, job)
        processes.append(context.Process(target=one_job, args=arguments))
        processes[-1].start()
        first += len(part)
    barrier.wait()
    begin = time.perf_counter()
    found = sorted(queue.get() for _ in processes)
    end = time.perf_counter()
    for process in processes:
        process.join()
    names = [run for _, runs, _ in found for run in runs]
    return {"all": end - begin, "peak": max(peak for _, _, peak in found)}, names


def one_job(address, studies, folder, path, row, barrier, queue, job):
    """One batch job of `ours_jobs`, compiled before the clock starts."""
    keep_freed_memory()
    warm = folder / "warm"
    warm.mkdir()
    shutil.copy(folder / "annotation.gtf.gz", warm)
    ours(address, studies[:1], warm)
    barrier.wait()
    _, names = ours(address, studies, folder, (path, row))
    queue.put((job, names, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000))


def ours(address, studies, folder, place=None):
    """One batch through the functions that the rules call, stored at `place` = (file, row); {step: seconds}, names."""
    annotation = read_annotation(folder / "annotation.gtf.gz")
    if place is None:
        store, rows = open_store(folder, "ours.npy", studies, len(annotation))
    else:
        store = np.load(place[0], mmap_mode="r")
        rows = place[1] + np.cumsum([0, *(len(runs) for _, runs in studies)])
    settings, names = everything_kept(), []
    checked = annotation["gene_type"].isin(settings.zero_fraction_gene_types).to_numpy()
    begin = time.perf_counter()
    planned = [(study, set(runs)) for study, runs in studies]
    entries = fetch_batch(
        Mirrors([address], DOWNLOAD), planned, ANNOTATION, list(annotation["gene_id"]), folder / "batch"
    )
    fetched = time.perf_counter()
    bad = [entry for entry in entries if entry.status != "ok"]
    assert not bad, bad[0]
    paths = {}
    for entry in entries:
        paths.setdefault(entry.project, {})[entry.kind] = folder / "batch" / entry.path
    for (study, runs), row in zip(planned, rows, strict=False):
        files = paths[study.project]
        part = build_study(study, runs, files["gene_sums"], read_tables(files), checked, settings, 0)
        for counts in part.counts:
            write_rows(store, counts, row)
            row += len(counts)
        names += list(part.samples["runs"])
    end = time.perf_counter()
    return {"fetch and verify": fetched - begin, "filter, parse and store": end - fetched, "all": end - begin}, names


def client(address, studies, folder):
    """Fetch and parse with the `recount3` client, downloads in as many threads as ours; ({step: seconds}, names)."""
    import recount3

    config = recount3.Config(f"{address}/", 60, False, 3, "benchmark", folder / "cache", False)
    genes = len(read_annotation(folder / "annotation.gtf.gz"))
    store, rows = open_store(folder, "client.npy", studies, genes)

    def resources(study):
        same = {"organism": study.organism, "data_source": study.source, "project": study.project}
        counts = recount3.R3GeneOrExonCounts(
            "count_files_gene_or_exon", genomic_unit="gene", annotation_extension=ANNOTATION, **same
        )
        tables = [
            recount3.R3ProjectMetadata("metadata_files", table_name=name, **same)
            for name in ("sra", "recount_qc", "recount_pred", "recount_seq_qc")
        ]
        return [recount3.R3Resource(description, config=config) for description in (counts, *tables)]

    def load(items, downloads, row):
        for download in downloads:
            download.result()
        frame = items[0].load()
        for item in items[1:]:
            item.load()
        store[row : row + frame.shape[1]] = frame.to_numpy().T
        for item in items:
            item.clear_loaded()
        return list(frame.columns)

    begin = time.perf_counter()
    with ThreadPoolExecutor(DOWNLOAD.connections) as downloading:
        waiting = [resources(study) for study, _ in studies]
        fetched = [[downloading.submit(item.download, None) for item in items] for items in waiting]
        names = [run for runs in map(load, waiting, fetched, rows) for run in runs]
    return {"all": time.perf_counter() - begin}, names


def local_files(folder, studies):
    """Fetched gene sums of each study."""
    return [folder / "batch" / study_path(study, "gene_sums", ANNOTATION) for study, _ in studies]


def ours_read(_, studies, folder):
    """Files that are there, into the memory map: unpack, check the genes' order, parse, store."""
    genes = len(read_annotation(folder / "annotation.gtf.gz"))
    store, rows = open_store(folder, "ours_read.npy", studies, genes)
    begin, names = time.perf_counter(), []
    for path, row in zip(local_files(folder, studies), rows, strict=False):
        sums = RunSums(path, genes)
        runs = sums.header.runs
        for counts in sums.of_samples(pd.Series(runs, index=runs), runs):
            write_rows(store, counts, row)
            row += len(counts)
        names += runs
    return {"all": time.perf_counter() - begin}, names


def pandas_read(_, studies, folder):
    """The same files into the same layout with pandas' C reader."""
    genes = len(read_annotation(folder / "annotation.gtf.gz"))
    store, rows = open_store(folder, "pandas_read.npy", studies, genes)
    begin, names = time.perf_counter(), []
    for path, row in zip(local_files(folder, studies), rows, strict=False):
        frame = pd.read_csv(path, sep="\t", skiprows=2, index_col="gene_id")
        store[row : row + frame.shape[1]] = frame.to_numpy().T
        names += list(frame.columns)
    return {"all": time.perf_counter() - begin}, names


def floor(_, studies, folder):
    """Unpack and parse alone, with the same libraries: every number, into blocks that are not kept."""
    begin = time.perf_counter()
    for path in local_files(folder, studies):
        with open_gzip(path) as handle:
            header = read_header(handle)
            for _block in gene_sum_blocks(handle, header, places=np.arange(len(header.runs))):
                pass
    return {"all": time.perf_counter() - begin}, []


def capped(address, studies, folder):
    """Studies through both steps of a batch job with the default cap on their runs; each is dropped when it is read."""
    settings = dataclasses.replace(everything_kept(), max_runs_per_study=500)
    annotation = read_annotation(folder / "annotation.gtf.gz")
    checked = annotation["gene_type"].isin(settings.zero_fraction_gene_types).to_numpy()
    begin, home = time.perf_counter(), folder / "capped"
    planned = [(study, set(runs)) for study, runs in studies]
    entries = fetch_batch(Mirrors([address], DOWNLOAD), planned, ANNOTATION, list(annotation["gene_id"]), home)
    assert all(entry.status == "ok" for entry in entries), entries[0]
    fetched = time.perf_counter()
    for study, runs in planned:
        paths = {entry.kind: home / entry.path for entry in entries if entry.project == study.project}
        part = build_study(study, runs, paths["gene_sums"], read_tables(paths), checked, settings, 0)
        assert sum(len(counts) for counts in part.counts) + len(part.dropped) == len(runs)
    end = time.perf_counter()
    return {"fetch and verify": fetched - begin, "filter, parse and store": end - fetched, "all": end - begin}, []


def digests(path, names):
    """Hash of each run's numbers; then the store is deleted, so that writing it back disturbs no later measurement."""
    store = np.load(path, mmap_mode="r")
    found = {run: hashlib.sha1(row).hexdigest() for run, row in zip(names, store, strict=True)}
    path.unlink()
    return found


def in_child(queue, side, warm, arguments):
    """Compile on a small study, then measure; sends seconds, hashes by run and this process's peak in MB."""
    keep_freed_memory()
    if warm is not None:
        side(*warm)
    seconds, names = side(*arguments)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    store = arguments[-1] / f"{side.__name__}.npy"
    queue.put((seconds, digests(store, names) if store.exists() else {}, peak))


def measure(side, arguments, warm=None):
    """Run one side in a fresh process, so that its peak memory is its own."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=in_child, args=(queue, side, warm, arguments))
    process.start()
    try:
        while True:
            try:
                return queue.get(timeout=1)
            except multiprocessing.queues.Empty:
                if not process.is_alive():
                    raise RuntimeError(f"{side.__name__} failed") from None
    finally:
        process.join()


SIDES = {
    "jobs": ours_jobs,
    "client": client,
    "ours": ours,
    "pandas": pandas_read,
    "read": ours_read,
    "floor": floor,
}


def run_all(folder, studies, address, rounds):
    """Alternate the sides; {side: [seconds by step]}, {side: hash by run}, {side: peak MB}."""
    warm = {name: (address, studies[:1], folder / "warm") for name in SIDES if name != "jobs"}
    times, hashes, peaks = {name: [] for name in SIDES}, {}, dict.fromkeys(SIDES, 0.0)
    for _ in range(rounds):
        for name, side in SIDES.items():
            stale = ["warm", "cache", *(f"job_{job}" for job in range(JOBS)), *(["batch"] if name == "ours" else [])]
            for part in stale:
                shutil.rmtree(folder / part, ignore_errors=True)
            (folder / "warm").mkdir()
            shutil.copy(folder / "annotation.gtf.gz", folder / "warm")
            if name in ("pandas", "read", "floor"):
                shutil.copytree(folder / "batch", folder / "warm" / "batch")
            seconds, hashes[name], peak = measure(side, (address, studies, folder), warm.get(name))
            times[name].append(seconds)
            peaks[name] = max(peaks[name], seconds.get("peak", peak))
    return times, hashes, peaks


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer and smaller studies, under 50 seconds")
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--giant-runs", type=int, default=28_650)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="for the mirror and the stores; a temporary one if not given")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.studies, arguments.giant_runs, arguments.rounds = 12, 800, 1
    return arguments


def report(times, peaks, sizes, giant_seconds, giant_peak, giant_runs, equal):
    """Print the table; the dictionary of the last line."""
    runs = int(np.sum(sizes))
    rate = {name: runs / float(np.median([seconds["all"] for seconds in times[name]])) for name in times}
    print(f"{len(sizes)} studies, {runs} runs (median {int(np.median(sizes))}, largest {max(sizes)}), 55,421 genes")
    for name, words in {
        "jobs": f"{JOBS} batch jobs: fetch, verify, parse, store",
        "ours": "one batch job: fetch, verify, parse, store",
        "client": "recount3 client: fetch, parse, store",
        "read": "files there: unpack, check, parse, store",
        "pandas": "files there: pandas read, store",
        "floor": "files there: unpack and parse alone",
    }.items():
        print(f"{words:42s} {rate[name]:8.0f} runs/s   peak {peaks[name]:6.0f} MB")
    steps = {step: float(np.median([seconds[step] for seconds in times["ours"]])) for step in times["ours"][0]}
    print("ours by step:", ", ".join(f"{step} {seconds:.2f} s" for step, seconds in steps.items()))
    print(f"the same studies, at most 500 runs of each: peak {peaks['capped']:.0f} MB")
    print(f"giant study of {giant_runs} runs: {giant_seconds['all']:.1f} s, peak {giant_peak:.0f} MB")
    figures = {
        "client": rate["jobs"] / rate["client"],
        "pandas": rate["read"] / rate["pandas"],
        "memory": MEMORY_MB / max(peaks["capped"], giant_peak),
    }
    share = {"read": rate["read"] / rate["floor"], "whole": rate["ours"] / rate["floor"]}
    print(f"share of the unpack-and-parse floor: {share['read']:.2f} (reading), {share['whole']:.2f} (from the mirror)")
    for name, figure in figures.items():
        print(f"bar {name:8s} {figure:8.2f} of {BARS[name]:g}{'' if figure >= BARS[name] else '   MISSED'}")
    alone = rate["ours"] / rate["client"]
    print(f"one batch job beside the client, one process each: {alone:.2f}")
    print("counts equal on all sides:", equal)
    detail = {
        "runs_per_second": rate,
        "steps_seconds": steps,
        "peak_mb": peaks | {"giant": giant_peak},
        "giant": {"runs": giant_runs, **giant_seconds},
        "share_of_floor": share,
        "one_process_each": alone,
        "studies": len(sizes),
        "runs": runs,
        "bars": {name: [figure, BARS[name]] for name, figure in figures.items() if name != "memory"},
    }
    ratio = min(figure / BARS[name] for name, figure in figures.items())
    return {"name": "archive", "ratio": ratio, "target": 1, "equal": equal, "device": "cpu", "detail": detail}


def main():
    """Generate the mirror, measure, print; exit 0 if all bars are met."""
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        sizes = archive_mirror.study_sizes(arguments.studies)
        if arguments.quick:
            sizes = [min(size, 120) for size in sizes]
        generated = archive_mirror.write_mirror(folder / "mirror", sizes, ANNOTATION, arguments.giant_runs)
        shutil.copy(folder / "mirror" / annotation_path("mouse", ANNOTATION), folder / "annotation.gtf.gz")
        studies = [(Study("mouse", "sra", project), runs) for project, runs in generated]
        with archive_mirror.serve(folder / "mirror") as address:
            times, hashes, peaks = run_all(folder, studies[:-1], address, arguments.rounds)
            _, _, peaks["capped"] = measure(capped, (address, studies[:-1], folder))
            giant_seconds, _, giant_peak = measure(capped, (address, studies[-1:], folder))
        equal = all(hashes[other] == hashes["ours"] for other in hashes if other != "floor")
    result = report(times, peaks, sizes, giant_seconds, giant_peak, arguments.giant_runs, equal)
    print(json.dumps(result))
    sys.exit(0 if result["ratio"] >= 1 and equal else 1)


if __name__ == "__main__":
    main()

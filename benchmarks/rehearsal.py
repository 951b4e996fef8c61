"""Rehearsal: a generated archive with the size distribution of mouse, through the rules, from a mirror on loopback.

`config/mouse.yaml` as it is, with fewer batches and another mirror: listing, fetching, verifying, parsing, filtering,
storing and merging, by Snakemake on all cores. Printed are runs per second, peak memory, requests, and bytes fetched or
written of each stage, and what they would make of all of mouse. The bar is the memory of a job: 1 GB. Some samples of
the corpus are compared with the mirror's files as pandas reads them.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

sys.path.insert(0, str(Path(__file__).parent / "tools"))
import plan

sys.path.insert(0, str(plan.REPOSITORY / "workflow" / "scripts"))
import archive_mirror
from scarceseq.archive.counts import CountsFile
from scarceseq.archive.layout import Study, annotation_path, homes_path, project_table_path, study_path
from scarceseq.archive.manifest import read_manifest

ANNOTATION = "M023"
RUNS_PER_BATCH = 2100  # as in config/mouse.yaml
BAR_MEGABYTES = 1000
STAGES = ("list_studies", "fetch_annotation", "fetch_batch", "build_shard", "merge_corpus")
# All of mouse: runs and projects; those of ten runs or more.
MOUSE = {"runs": 416_803, "projects": 10_088, "planned runs": 390_896, "planned projects": 5_380}
# Kept as bulk by a published recipe (github.com/greenelab/mousiplier).
MOUSE_KEPT = 190_111
LINES = {"100 Mbit/s": 1e8, "1 Gbit/s": 1e9}
CHECKED_SAMPLES = 20


def prepare(folder, studies):
    """Write mirror, list of runs and config; {project: runs}."""
    sizes = archive_mirror.study_sizes(studies)
    written = archive_mirror.write_mirror(folder / "mirror", sizes, ANNOTATION, processes=os.cpu_count())
    rows = [("sra", project, run) for project, runs in written for run in runs]
    plan.write_mirror(pd.DataFrame(rows, columns=["source", "project", "external_id"]), folder / "mirror")
    return dict(written)


def configure(folder, address, runs, mean):
    """The config of all of mouse, up to the corpus, with batches of the same number of runs."""
    config = yaml.safe_load((plan.REPOSITORY / "config/mouse.yaml").read_text())
    config = {key: config[key] for key in ("name", "seed", "device", "archive", "corpus")}
    giants = sorted(project for project, own in runs.items() if len(own) > 750)
    small = sum(len(own) for project, own in runs.items() if project not in giants and len(own) >= 10)
    config["archive"] |= {
        "mirrors": [address],
        "giant_studies": giants,
        "batches": max(1, round(small / mean)),
        "excluded_studies": [],
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


def stages(results, threads):
    """One row per stage: jobs, seconds of all jobs together, peak memory of a job, from Snakemake's own benchmarks."""
    rows = []
    for stage in STAGES:
        parts = [pd.read_csv(path, sep="\t") for path in sorted((results / "benchmarks" / stage).glob("*.tsv"))]
        table = pd.concat(parts)
        at_once = min(threads, len(table))
        rows.append(
            (stage, len(table), table["s"].sum(), table["s"].sum() / at_once, table["max_rss"].max() * 1.048576)
        )
    return pd.DataFrame(rows, columns=["stage", "jobs", "job_seconds", "seconds", "peak_mb"]).set_index("stage")


def traffic(mirror, results, entries):
    """Requests and bytes of each stage: fetched from the mirror, or written."""
    listed = [mirror / homes_path("mouse"), mirror / project_table_path("mouse", "sra")]
    shards = bytes_below(results / "corpus/shards")
    return pd.DataFrame(
        [
            ("list_studies", len(listed), sum(path.stat().st_size for path in listed)),
            ("fetch_annotation", 1, (mirror / annotation_path("mouse", ANNOTATION)).stat().st_size),
            ("fetch_batch", sum(e.status != "skipped" for e in entries), sum(e.bytes or 0 for e in entries)),
            ("build_shard", 0, shards),
            ("merge_corpus", 0, bytes_below(results / "corpus") - shards),
        ],
        columns=["stage", "requests", "bytes"],
    ).set_index("stage")


def entries_of(results):
    """Lines of all manifests."""
    return [entry for path in sorted(results.glob("archive/batches/*/manifest.jsonl")) for entry in read_manifest(path)]


def bytes_below(folder):
    """Bytes of all files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def equal(mirror, results):
    """Whether counts of some samples of the corpus are those of the mirror's files, read by pandas."""
    file = CountsFile(results / "corpus/corpus.h5ad")
    samples, genes = file.read_samples(), file.read_genes().index
    chosen = np.sort(np.random.default_rng(1).permutation(len(samples))[:CHECKED_SAMPLES])
    with file.open() as counts:
        for row in chosen:
            sample = samples.iloc[row]
            path = mirror / study_path(Study("mouse", "sra", str(sample["study"])), "gene_sums", ANNOTATION)
            names = ["gene_id", *str(sample["runs"]).split(",")]
            truth = pd.read_csv(path, sep="\t", skiprows=2, usecols=names, index_col="gene_id").sum(axis=1)
            if not np.array_equal(counts[row], truth.reindex(genes).to_numpy()):
                return False
    return True


def extrapolate(table, runs, planned_runs, kept, planned_studies):
    """What all of mouse would take, in lines of text, and as a dictionary."""
    work = table["seconds"]
    hours = work["fetch_batch"] / planned_runs * MOUSE["planned runs"] / 3600
    parsed = work["build_shard"] / planned_runs * MOUSE["planned runs"] / 3600
    merged = work["merge_corpus"] / kept * MOUSE_KEPT / 3600
    size = table["bytes"] / 1e9
    gigabytes = {
        "fetched": size["fetch_batch"] / planned_runs * MOUSE["planned runs"],
        "shards": size["build_shard"] / kept * MOUSE_KEPT,
        "corpus": size["merge_corpus"] / kept * MOUSE_KEPT,
    }
    requests = round(table.loc["fetch_batch", "requests"] / planned_studies * MOUSE["planned projects"])
    found = {
        "hours": {"fetch and verify": hours, "parse, filter, store": parsed, "merge": merged},
        "gigabytes": gigabytes,
        "requests": requests,
        "hours on the line": {name: gigabytes["fetched"] * 8e9 / rate / 3600 for name, rate in LINES.items()},
    }
    print(
        f"all of mouse, from {runs} generated runs ({MOUSE['planned runs']} runs fetched, {MOUSE_KEPT} samples kept):"
    )
    print("  hours on these cores: " + ", ".join(f"{name} {value:.2f}" for name, value in found["hours"].items()))
    print("  GB on disk: " + ", ".join(f"{name} {value:.0f}" for name, value in gigabytes.items()))
    print(f"  requests: {requests}")
    print("  hours on the line: " + ", ".join(f"{n} {value:.1f}" for n, value in found["hours on the line"].items()))
    return found


def rehearse(folder, studies):
    """Generate, run, report; returns (peak MB, equal, detail)."""
    runs = prepare(folder, studies)
    planned = {project: own for project, own in runs.items() if len(own) >= 10}
    planned_runs = sum(map(len, planned.values()))
    cores = os.cpu_count()
    with archive_mirror.serve(folder / "mirror") as address:
        configure(folder, address, runs, RUNS_PER_BATCH)
        target = "results/mouse/corpus/samples.parquet"
        seconds, _, most, _ = plan.snakemake(folder, "--cores", str(cores), "--", target)
    results = folder / "results/mouse"
    table = stages(results, cores).join(traffic(folder / "mirror", results, entries_of(results)))
    kept = len(CountsFile(results / "corpus/corpus.h5ad").read_samples())
    total = sum(map(len, runs.values()))
    print(f"{len(runs)} studies of {total} runs; {len(planned)} of {planned_runs} planned, {kept} samples kept")
    print(f"{cores} cores, {seconds:.0f} s in all, {planned_runs / seconds:.0f} runs/s, all processes {most:.0f} MB")
    print(f"{'stage':<18}{'jobs':>6}{'s, all jobs':>13}{'runs/s':>9}{'peak MB of a job':>18}{'requests':>10}{'MB':>9}")
    for stage, row in table.iterrows():
        rate = planned_runs / row["seconds"]
        print(
            f"{stage:<18}{row['jobs']:>6.0f}{row['job_seconds']:>13.1f}{rate:>9.0f}{row['peak_mb']:>18.0f}"
            f"{row['requests']:>10.0f}{row['bytes'] / 1e6:>9.1f}"
        )
    detail = {
        "studies": len(runs),
        "runs": total,
        "planned_studies": len(planned),
        "planned_runs": planned_runs,
        "samples": kept,
        "seconds": seconds,
        "stages": table.round(2).to_dict("index"),
        "all_of_mouse": extrapolate(table, total, planned_runs, kept, len(planned)),
    }
    return table["peak_mb"].max(), equal(folder / "mirror", results), detail


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few studies, under 50 seconds")
    parser.add_argument("--studies", type=int, default=1600)
    parser.add_argument("--folder", type=Path, help="for mirror and results; a temporary one if not given")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(dir=arguments.folder))
    try:
        peak, same, detail = rehearse(folder, 40 if arguments.quick else arguments.studies)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    ratio = BAR_MEGABYTES / peak
    print(f"bar memory   {ratio:.2f} of 1 (peak {peak:.0f} MB of {BAR_MEGABYTES}); counts equal: {same}")
    result = {"name": "rehearsal", "ratio": ratio, "target": 1, "equal": same, "device": "cpu", "detail": detail}
    print(json.dumps(result))
    return 0 if ratio >= 1 and same else 1


if __name__ == "__main__":
    sys.exit(main())

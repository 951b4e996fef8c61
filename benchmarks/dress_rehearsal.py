"""Dress rehearsal: `config/mouse.yaml` as shipped, at two sizes, from a mirror on loopback to its report.

The mirror has full width and mouse's sizes of studies, with tissues, sexes, authors' spellings, single cells and
damaged files (`tools/lifelike_archive.py`). Of the config, batches and numbers (steps, scouts, clusters, episodes) are
scaled by one factor, the share of all runs that is generated; below `SMALL_RUNS` the shares of the splits are others,
since a twentieth of so few studies would test nothing. From the two sizes follow, for each rule, how it grows with
samples and what all of mouse would take. Bars: no rule above 12 GB there, and none that takes over a minute grows
faster than n log n.

Memory is what jobs held that the kernel cannot take back: no pages of mapped files (`tools/whole_run.py`); of a rule
whose jobs were not watched, all that was resident.

Each size has its folder below `--folder`, and goes on from what is there when it was stopped: by `--seconds`, after
which no more jobs start, or by a kill. Without `--folder` all is thrown away. `--again RULE ...` runs these rules anew
in finished folders, whatever code the rest is of, and reports with what they took now. Steps hold no more from a
number of samples on, which a line from a small size does not see: of a folder named by `--between`, memory alone is
read, and for the rules that were watched in it the line goes through it and the larger size.
"""

import argparse
import json
import math
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
import lifelike_archive
import whole_run
from scarceseq.archive.counts import CountsFile
from scarceseq.archive.layout import Study, study_path

ALL_RUNS, PLANNED_RUNS = 416_803, 390_896
# Kept as bulk by a published recipe (github.com/greenelab/mousiplier).
ALL_SAMPLES = 190_111
SMALL_RUNS = 20_000
SMALL_SHARES = {"pretrain": 0.4, "scout": 0.2, "validation": 0.15, "test": 0.25}
BAR_GB, BAR_GROWTH, LONG_SECONDS = 12, 1.25, 60
# What a rule's work is proportional to beside samples: a number of the config that is scaled.
NUMBERS = {"pretrain": "steps", "train_scouts": "scouts", "plan_episodes": "episodes", "fit_episodes": "episodes"}
BATCHED = ("fetch_batch", "build_shard")  # their jobs are as large as a batch
RUNS_PER_BATCH = 2_100
# Its job is as large as the labelled samples that it compares: at most 2,000 of test, and of validation studies.
COMPARING, MOST_COMPARED = "compare_embeddings", 2 * 2_000
CHECKED_SAMPLES = 20
UNFINISHED = 3
RESULTS = Path("results/mouse")
# Files of the rules that may be run anew, below the results.
OUTPUTS = {
    "merge_corpus": "corpus/training.npy",
    "pretrain": "pretrain/mlp/model.safetensors",
    "embed": "pretrain/mlp/embeddings/corpus.h5ad",
    "compare_embeddings": "pretrain/mlp/comparison/*.parquet",
    "plan_scouts": "guide/mlp/cluster_pairs/scouts.parquet",
    "fit_episodes": "fewshot/predictions/mlp/logistic@pca/*/*.parquet",  # its largest jobs
}


def studies_of(runs):
    """{project: runs} with mouse's distribution of sizes, together no more than `runs`."""
    few, many = 1, runs
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (middle, many) if sum(archive_mirror.study_sizes(middle)) <= runs else (few, middle)
    made, number = {}, 0
    for study, size in enumerate(archive_mirror.study_sizes(few)):
        made[f"SRP{study:06d}"] = [f"SRR{number + run:08d}" for run in range(size)]
        number += size
    return made


def scaled(share, runs, address):
    """`config/mouse.yaml` with its numbers scaled."""
    config = yaml.safe_load((plan.REPOSITORY / "config/mouse.yaml").read_text())
    base, scheme = config["pretrain"]["bases"]["mlp"], config["guide"]["schemes"]["cluster_pairs"]
    steps = max(24, round(base["steps"] * share))
    giants = sorted(project for project, own in runs.items() if len(own) > 750)
    batches = max(2, round(config["archive"]["batches"] * share))
    config["archive"] |= {"mirrors": [address], "giant_studies": giants, "batches": batches, "excluded_studies": []}
    planned = sum(len(own) >= config["archive"]["min_runs"] for own in runs.values())
    # One study is damaged even where it is more than the share that is allowed.
    config["archive"]["max_failed_share"] = max(config["archive"]["max_failed_share"], 1.5 / planned)
    for key in ("warm_up_steps", "validate_every_steps", "checkpoint_every_steps"):
        base[key] = max(1, round(base[key] * steps / base["steps"]))
    base["steps"] = steps
    scheme["scouts"] = max(4, round(scheme["scouts"] * share))
    scheme["clusters"] = max(8, round(scheme["clusters"] * share))
    validation = max(4, round(config["fewshot"]["validation_episodes"] * share))
    episodes = max(8, round(config["fewshot"]["episodes"] * share))
    config["fewshot"] |= {"episodes": episodes, "validation_episodes": validation}
    if sum(map(len, runs.values())) < SMALL_RUNS:
        config["corpus"]["splits"]["default"]["shares"] = SMALL_SHARES
    return config


def rehearse(folder, wanted, seconds):
    """One size: generate what is missing, run what is left; the facts, or None if it is not finished."""
    folder.mkdir(parents=True, exist_ok=True)
    runs, mirror = studies_of(wanted), folder / "mirror"
    total = sum(map(len, runs.values()))
    rows = [("sra", project, run) for project, own in runs.items() for run in own]
    plan.write_mirror(pd.DataFrame(rows, columns=["source", "project", "external_id"]), mirror)
    lifelike_archive.write_archive(mirror, "mouse", runs, os.cpu_count())
    spent = folder / "spent.json"
    before = json.loads(spent.read_text()) if spent.exists() else {"seconds": 0, "megabytes": 0}
    # One address for all attempts, or another mirror would be another run.
    with archive_mirror.serve(mirror, before.get("port", 0)) as address:
        whole_run.write_config(folder, scaled(total / ALL_RUNS, runs, address))
        took, most, status = whole_run.run(folder, os.cpu_count(), seconds)
    now = {"seconds": before["seconds"] + took, "megabytes": max(before["megabytes"], most)}
    spent.write_text(json.dumps(now | {"port": int(address.rsplit(":", 1)[1])}))
    if status or not (folder / RESULTS / "report.html").exists():
        print(f"{total} runs: not finished after {now['seconds']:.0f} s, see {folder}/run.log; start again to go on")
        return None
    return facts(folder)


def run_again(folder, rules):
    """Run some rules anew in a finished folder; the facts, or None if they failed."""
    targets = [path.relative_to(folder) for rule in rules for path in sorted((folder / RESULTS).glob(OUTPUTS[rule]))]
    arguments = [*targets, "--rerun-triggers", "mtime", "--forcerun", *rules, "--allowed-rules", *rules]
    _, _, status = whole_run.run(folder, os.cpu_count(), arguments=arguments)
    if status:
        print(f"{' '.join(rules)}: failed, see {folder}/run.log")
        return None
    return facts(folder)


def facts(folder):
    """What a finished folder holds: sizes, numbers of its config, what each rule took."""
    results = folder / RESULTS
    samples = CountsFile(results / "corpus/corpus.h5ad").read_samples()
    plans = [len(pd.read_csv(path, sep="\t", usecols=["run"])) for path in (results / "archive/plan").glob("*.tsv")]
    spent = json.loads((folder / "spent.json").read_text())
    return {
        "runs": int(pd.read_csv(results / "archive/studies.tsv", sep="\t")["runs"].sum()),
        "planned_runs": sum(plans),
        "largest_batch": max(plans),
        "samples": len(samples),
        "compared": compared(folder),
        "numbers": numbers_of(yaml.safe_load((folder / "config.yaml").read_text())),
        "whole": numbers_of(yaml.safe_load((plan.REPOSITORY / "config/mouse.yaml").read_text())),
        "disk_gb": whole_run.bytes_below(results) / 1e9,
        "fetched_gb": whole_run.bytes_below(results / "archive/batches") / 1e9,
        "rules": whole_run.rules_table(results).to_dict("index"),
        "equal": equal(folder / "mirror", results, samples) and ledger_adds_up(results, samples),
        "seconds": spent["seconds"],
        "megabytes": spent["megabytes"],
    }


def held_in(folder):
    """Samples of a finished folder, and what the jobs held that were watched in it."""
    samples = len(CountsFile(folder / RESULTS / "corpus/corpus.h5ad").read_samples())
    held = json.loads((folder / whole_run.HELD).read_text())
    return {"samples": samples, "compared": compared(folder), "held_mb": held}


def numbers_of(config):
    """The numbers of a config that are scaled."""
    guide, fewshot = config["guide"]["schemes"]["cluster_pairs"], config["fewshot"]
    steps = config["pretrain"]["bases"]["mlp"]["steps"]
    return {"steps": steps, "scouts": guide["scouts"], "episodes": fewshot["episodes"]}


def equal(mirror, results, samples):
    """Whether counts of some samples of the corpus are those of the mirror's files, read by pandas."""
    file = CountsFile(results / "corpus/corpus.h5ad")
    genes = file.read_genes().index
    chosen = np.sort(np.random.default_rng(1).permutation(len(samples))[:CHECKED_SAMPLES])
    with file.open() as counts:
        for row in chosen:
            sample = samples.iloc[row]
            path = mirror / study_path(Study("mouse", "sra", str(sample["study"])), "gene_sums", "M023")
            names = ["gene_id", *str(sample["runs"]).split(",")]
            truth = pd.read_csv(path, sep="\t", skiprows=2, usecols=names, index_col="gene_id").sum(axis=1)
            if not np.array_equal(counts[row], truth.reindex(genes).to_numpy()):
                return False
    return True


def ledger_adds_up(results, samples):
    """Whether every planned run is kept or dropped, once."""
    plans = [pd.read_csv(path, sep="\t", dtype=str)["run"] for path in (results / "archive/plan").glob("*.tsv")]
    dropped = pd.read_csv(results / "corpus/dropped_runs.tsv", sep="\t", dtype=str)["run"]
    kept = samples["runs"].astype(str).str.split(",").explode()
    return sorted(pd.concat(plans)) == sorted([*dropped, *kept])


def extrapolate(small, large, between=None):
    """What each rule takes at all of mouse, from two sizes.

    Seconds of processor without starting the jobs, for each step, scout or episode where the config scales these,
    follow a power of the samples (a linear function of them if the power is below 1); memory follows a linear one, of
    what `memory_by` says. `between` has such sizes, and held megabytes by rule.

    Returns
    -------
    pandas.DataFrame
        By rule: growth (the exponent), hours (of processor) and gb (of memory) at full size, seconds of the larger run.
    """
    one, other = (pd.DataFrame.from_dict(size["rules"], orient="index") for size in (small, large))
    rows = {}
    for rule in other.index.intersection(one.index):
        batched = rule in BATCHED
        sizes = [size["planned_runs" if batched else "samples"] for size in (small, large)]
        full = PLANNED_RUNS if batched else ALL_SAMPLES
        number = NUMBERS.get(rule)
        counts = [size["numbers"][number] if number else 1 for size in (small, large)]
        work = [
            max(table.loc[rule, "cpu_s"] - table.loc[rule, "jobs"] * start_seconds(table), 0.1) / count
            for table, count in zip((one, other), counts, strict=True)
        ]
        growth = math.log(work[1] / work[0]) / math.log(sizes[1] / sizes[0])
        unit = work[1] * (full / sizes[1]) ** growth if growth > 1 else line(sizes, work, full)
        hours = unit * (large["whole"][number] if number else 1) / 3600
        peaks = [table.loc[rule, "held_mb"] / 1e3 for table in (one, other)]
        measure, most = memory_by(rule)
        smaller = small
        if between and rule in between["held_mb"]:
            smaller, peaks[0] = between, between["held_mb"][rule] / 1e3
        gb = line([size[measure] for size in (smaller, large)], peaks, most)
        rows[rule] = {"growth": growth, "hours": hours, "gb": gb, "seconds": other.loc[rule, "cpu_s"]}
    return pd.DataFrame.from_dict(rows, orient="index").round(3)


def memory_by(rule):
    """What a rule's memory is a line of, and the most of it at all of mouse."""
    if rule in BATCHED:
        return "largest_batch", RUNS_PER_BATCH
    return ("compared", MOST_COMPARED) if rule == COMPARING else ("samples", ALL_SAMPLES)


def compared(folder):
    """Labelled samples of test and of validation studies that are compared."""
    config = yaml.safe_load((folder / "config.yaml").read_text())
    tables = folder / RESULTS / "corpus"
    (task,) = config["pretrain"]["comparison"]["tasks"].values()
    labels = pd.read_parquet(tables / "attributes.parquet")
    labels = labels[(labels["key"] == task["label"]) & labels["value"].isin(task["classes"])]
    samples = pd.read_parquet(tables / "samples.parquet", columns=["sample", "study"])
    splits = pd.read_csv(tables / "splits.tsv", sep="\t")
    roles = splits[splits["split"] == task["split"]].set_index("study")["role"]
    counts = samples[samples["sample"].isin(labels["sample"])]["study"].map(roles).value_counts()
    return sum(min(int(counts.get(role, 0)), MOST_COMPARED // 2) for role in ("test", "validation"))


def start_seconds(table):
    """Seconds of processor that a job takes to start: those of the shortest."""
    return float((table["cpu_s"] / table["jobs"]).min())


def line(places, values, full):
    """Value at `full` of the line through two points, which is level where it would fall."""
    slope = (values[1] - values[0]) / (places[1] - places[0]) if places[1] != places[0] else 0
    return values[1] + max(slope, 0) * (full - places[1])


def report(small, large, table):
    """Print the tables; returns the detail of the result."""
    for size in (small, large):
        facts = (
            "runs",
            "planned_runs",
            "samples",
            "seconds",
            "megabytes",
            "disk_gb",
            "fetched_gb",
            "numbers",
        )
        print(", ".join(f"{name} {size[name]}" for name in facts))
        print(pd.DataFrame.from_dict(size["rules"], orient="index").to_string())
    print(f"all of mouse ({PLANNED_RUNS} runs planned, {ALL_SAMPLES} samples kept):")
    print(table.to_string())
    long = table[table["seconds"] > LONG_SECONDS]
    whole = {
        "cpu_hours": float(table["hours"].sum()),
        "disk_gb": line(
            [s["planned_runs"] for s in (small, large)], [s["disk_gb"] for s in (small, large)], PLANNED_RUNS
        ),
    }
    print(", ".join(f"{name} {value:.1f}" for name, value in whole.items()))
    worst = {"worst_gb": float(table["gb"].max()), "worst_growth": float(long["growth"].max()) if len(long) else 0.0}
    sizes = {"small": small, "large": large}
    return worst | {"sizes": sizes, "all_of_mouse": whole | {"rules": table.to_dict("index")}}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="sizes of 700 and 1,400 runs")
    parser.add_argument("--runs", type=int, nargs=2, default=[16_000, 42_000], metavar=("SMALL", "LARGE"))
    parser.add_argument("--between", type=int, help="a finished size between both, for memory alone")
    parser.add_argument("--folder", type=Path, help="keep mirrors and results here, and go on from them")
    parser.add_argument("--seconds", type=float, help="start no more jobs of a size after this time")
    parser.add_argument("--again", nargs="+", default=[], choices=OUTPUTS, help="run these anew in finished folders")
    arguments = parser.parse_args()
    folder = arguments.folder or Path(tempfile.mkdtemp())
    try:
        runs = [700, 1400] if arguments.quick else sorted(arguments.runs)
        places = {size: folder / str(size) for size in runs}
        if arguments.again:
            sizes = [run_again(place, arguments.again) for place in places.values()]
        else:
            sizes = [rehearse(place, size, arguments.seconds) for size, place in places.items()]
    finally:
        if not arguments.folder:
            shutil.rmtree(folder, ignore_errors=True)
    if None in sizes:
        return UNFINISHED
    between = held_in(folder / str(arguments.between)) if arguments.between else None
    detail = report(*sizes, extrapolate(*sizes, between)) | {"between": between}
    ratio = min(BAR_GB / detail["worst_gb"], BAR_GROWTH / max(detail["worst_growth"], 1e-9))
    same = all(size["equal"] for size in sizes)
    print(f"bars: {detail['worst_gb']:.1f} of {BAR_GB} GB, growth {detail['worst_growth']:.2f} of {BAR_GROWTH}")
    result = {"name": "dress_rehearsal", "ratio": ratio, "target": 1, "equal": same, "device": "cpu", "detail": detail}
    print(json.dumps(result))
    return 0 if ratio >= 1 and same else 1


if __name__ == "__main__":
    sys.exit(main())

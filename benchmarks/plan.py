"""Planning all of mouse: `list_studies` on the real list of projects, then `snakemake -n`, within 20 s and 1 GB.

Both run as a user runs them, with `config/mouse.yaml` and a mirror in a folder that holds nothing but the list of runs.
What is planned is compared with the list itself. Then everything at once, within 30 s and 1.5 GB: all of mouse with the
few-shot sweep of `config/benchmark_fewshot.yaml` (over 100,000 fits of episodes) and the selection benchmark of
`config/benchmark_selection.yaml` (over 10,000 fits of predictors).
"""

import argparse
import gzip
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import psutil
import yaml

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY / "workflow" / "scripts"))

from scarceseq.archive.layout import homes_path, project_table_path  # noqa: E402
from scarceseq.archive.plan import plan_studies  # noqa: E402

BAR_SECONDS = 20
BAR_MEGABYTES = 1000
BAR_OF_EVERYTHING = {"seconds": 30, "megabytes": 1500, "fits of episodes": 100_000, "fits of predictors": 10_000}
SAMPLE_SECONDS = 0.02
SPLITS_AT_LEAST = 10
# Lacks in the list, which was made from the archive's coverage files.
GIANT = ("sra", "SRP150473", 28650)


def inventory(folder, organism="mouse"):
    """Every run of the archive: columns source, project, external_id."""
    runs = pd.read_csv(Path(folder) / f"{organism}_samples_from_ucsc_hubs.tsv.gz", sep="\t", dtype=str)
    if organism == "human":
        return runs
    source, project, size = GIANT
    names = [f"{project}_run_{number}" for number in range(size)]
    giant = pd.DataFrame({"source": source, "project": project, "external_id": names})
    return pd.concat([runs, giant], ignore_index=True)


def write_mirror(runs, folder, organism="mouse"):
    """Lay out a mirror that holds the organism's list of sources and each source's table of runs."""
    homes = Path(folder) / homes_path(organism)
    homes.parent.mkdir(parents=True, exist_ok=True)
    homes.write_text("".join(f"data_sources/{source}\n" for source in sorted(runs["source"].unique())))
    for source, part in runs.groupby("source"):
        path = Path(folder) / project_table_path(organism, source)
        path.parent.mkdir(parents=True, exist_ok=True)
        home = f"data_sources/{source}"
        table = pd.DataFrame({"rail_id": part.index, "external_id": part["external_id"], "study": part["project"]})
        table = table.assign(project=part["project"], organism=organism, file_source=home, metadata_source=home)
        path.write_bytes(gzip.compress(table.to_csv(sep="\t", index=False).encode(), 1))


def prepare(runs, folder, organism="mouse"):
    """Write the mirror and a config that reads it; returns the path of the config."""
    write_mirror(runs, folder / "mirror", organism)
    config = yaml.safe_load((REPOSITORY / f"config/{organism}.yaml").read_text())
    config["archive"]["mirrors"] = [str(folder / "mirror")]
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def prepare_everything(folder, data):
    """Write `folder`/config.yaml, of all of mouse, the few-shot sweep and the selection benchmark; returns it.

    `folder` holds the mirror already.
    """
    config, sweep, choice = (
        yaml.safe_load((REPOSITORY / f"config/{name}.yaml").read_text())
        for name in ("mouse", "benchmark_fewshot", "benchmark_selection")
    )
    config["archive"]["mirrors"] = [str(folder / "mirror")]
    for base in config["pretrain"]["bases"].values():
        base["further_seeds"] = [2, 3, 4, 5]
    config |= {key: sweep[key] for key in ("guide", "fewshot")}
    config |= {key: choice[key] for key in ("network", "screens", "selection")} | {"data": str(data)}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return config


def fits_of(config):
    """Fits of episodes and of predictors that a config asks for; random choice counts as one way, not by its draws."""
    fewshot, selection = config["fewshot"], config["selection"]
    episodes = sum(
        len(task["ways"]) * len(task["shots"]) * len(task.get("methods", fewshot["methods"])) * task.get("seeds", 1)
        for task in fewshot["tasks"].values()
    )
    selectors = sum(map(len, selection["selectors"].values()))
    places = sum(len(screen["selection_graphs"]) for screen in selection["screens"].values())
    budgets = selectors * places * len(selection["budgets"]) * len(selection["predictors"])
    return {"fits of episodes": episodes * fewshot["episodes"], "fits of predictors": budgets * SPLITS_AT_LEAST}


def plan_everything(runs, data):
    """(seconds, megabytes, jobs, fits) of `snakemake -n` of everything at full size."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(runs, folder)
        config = prepare_everything(folder, data)
        seconds, _, megabytes, output = snakemake(folder, "-n")
        return seconds, megabytes, jobs_of(output), fits_of(config)


def jobs_of(output):
    """Number of jobs by rule that Snakemake's table lists; `total` is one of them."""
    table = output.split("Job stats:")[-1].split("\n\n")[0].splitlines()
    return {line.split()[0]: int(line.split()[1]) for line in table if line.split()[1:2] and line.split()[1].isdigit()}


def snakemake(folder, *arguments):
    """Run Snakemake on the repository with results in `folder`; returns (seconds, CPU seconds, megabytes, output).

    Megabytes are those of all its processes together, the most that was seen.
    """
    place = ["-s", REPOSITORY / "Snakefile", "--profile", REPOSITORY / "profiles/default", "--directory", folder]
    command = [sys.executable, "-m", "snakemake", *map(str, place), "--configfile", str(folder / "config.yaml")]
    start, worked, most = time.perf_counter(), _cpu_seconds(), 0
    with tempfile.TemporaryFile("w+") as output:
        process = psutil.Popen([*command, *arguments], stdout=output, stderr=subprocess.STDOUT)
        while process.poll() is None:
            most = max(most, _resident(process))
            time.sleep(SAMPLE_SECONDS)
        seconds = time.perf_counter() - start
        output.seek(0)
        text = output.read()
    if process.returncode:
        sys.exit(f"snakemake {' '.join(arguments)} failed:\n{text[-4000:]}")
    return seconds, _cpu_seconds() - worked, most / 1e6, text


def _cpu_seconds():
    """Of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _resident(process):
    total = 0
    for part in [process, *process.children(recursive=True)]:
        try:
            total += part.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def differences(runs, archive):
    """What is wrong with a plan, in words; empty if every run of the list is planned once or its study skipped.

    Parameters
    ----------
    runs : pandas.DataFrame
        From `inventory`.
    archive : path
        Holds studies.tsv and plan/.
    """
    studies = pd.read_csv(archive / "studies.tsv", sep="\t", dtype={"project": str}, keep_default_na=False)
    wrong = []
    sizes = runs.groupby(["source", "project"]).size()
    listed = studies.set_index(["source", "project"])
    if not listed["runs"].sort_index().equals(sizes.rename("runs").sort_index()):
        wrong.append("the listed studies are not those of the inventory")
    if ((listed["batch"] != "NA") == (listed["skip_reason"] != "NA")).any():
        wrong.append("a study is neither in a batch nor skipped, or both")
    plans = [pd.read_csv(path, sep="\t", dtype=str).assign(batch=path.stem) for path in archive.glob("plan/*.tsv")]
    planned = pd.concat(plans).rename(columns={"run": "external_id"})
    kept = runs.merge(studies.loc[studies["batch"] != "NA", ["source", "project", "batch"]], on=["source", "project"])
    columns = ["source", "project", "external_id", "batch"]
    if not _sorted(planned[columns]).equals(_sorted(kept[columns])):
        wrong.append("the plans of the batches do not hold each run of each planned study once")
    return wrong


def _sorted(table):
    return table.sort_values(list(table.columns), ignore_index=True)


def moved(runs, giants):
    """Studies whose batch changes when one in a hundred studies, and the largest, are added to the others."""
    runs = runs.rename(columns={"external_id": "run"}).assign(organism="mouse", rail_id="0")
    names = [f"batch_{index}" for index in range(100)]
    late = set(sorted(runs["project"].unique())[::100]) | {GIANT[1]}
    before = plan_studies(runs[~runs["project"].isin(late)], names, (10, 0), [], {}, giants)
    after = plan_studies(runs, names, (10, 0), [], {}, giants)
    both = before.merge(after, on=["organism", "source", "project"])
    return both.loc[both["batch_x"].fillna("") != both["batch_y"].fillna(""), "project"].tolist()


def balance(archive):
    """Runs per ordinary batch and of the giants, as a line."""
    studies = pd.read_csv(archive / "studies.tsv", sep="\t")
    loads = studies.groupby("batch")["runs"].sum()
    ordinary = loads[loads.index.str.startswith("batch_")]
    giants = loads.drop(ordinary.index)
    return (
        f"{len(ordinary)} batches of {ordinary.min()} to {ordinary.max()} runs (mean {ordinary.mean():.0f}, largest "
        f"{ordinary.max() / ordinary.mean():.2f} times that), "
        f"{len(giants)} giants of {giants.min()} to {giants.max()}; "
        f"{studies['skip_reason'].notna().sum()} of {len(studies)} studies skipped"
    )


def measure(runs):
    """One round in a fresh folder: rows (step, seconds, CPU seconds, megabytes), jobs planned, faults, balance."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(runs, folder)
        listing = snakemake(folder, "--cores", "1", "--until", "list_studies")
        planning = snakemake(folder, "-n")
        archive = folder / "results/mouse/archive"
        jobs = jobs_of(planning[3])["total"]
        rows = [("list_studies", *listing[:3]), ("snakemake -n", *planning[:3])]
        return rows, jobs, differences(runs, archive), balance(archive)


def main():
    """Print the table and the result; exit status 0 if every bar is met and the plan is right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round instead of three")
    default = Path(os.environ.get("SCARCESEQ_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=default, help="folder of the real data")
    arguments = parser.parse_args()
    lists = arguments.data / "bulk/recount3_inventory"
    if not lists.is_dir():
        sys.exit(f"the real list of projects is not at {lists}; say with --data where the folder of real data is")
    runs, load = inventory(lists), os.getloadavg()[0]
    print(f"{runs['project'].nunique():,} projects, {len(runs):,} runs; load of the machine before: {load:.1f}")
    numbers = range(1 if arguments.quick else 3)
    rounds = [measure(runs) for _ in numbers]
    seconds = statistics.median(sum(row[1] for row in rows) for rows, *_ in rounds)
    megabytes = max(row[3] for rows, *_ in rounds for row in rows)
    print(f"{'round':<8}{'step':<16}{'seconds':>9}{'CPU s':>8}{'MB':>8}")
    for number, (rows, *_) in enumerate(rounds, start=1):
        for step, took, worked, most in rows:
            print(f"{number:<8}{step:<16}{took:>9.2f}{worked:>8.2f}{most:>8.0f}")
    print(f"both steps, median {seconds:.1f} s, bar {BAR_SECONDS} s; most {megabytes:.0f} MB, bar {BAR_MEGABYTES} MB")
    giants = yaml.safe_load((REPOSITORY / "config/mouse.yaml").read_text())["archive"]["giant_studies"]
    faults = [fault for _, _, found, _ in rounds for fault in found]
    faults += [f"{project} moves when others are added" for project in moved(runs, giants)]
    for fault in faults:
        print(f"WRONG: {fault}")
    _, jobs, _, spread = rounds[0]
    print(f"{jobs} jobs; {spread}")
    everything = [plan_everything(runs, arguments.data.resolve()) for _ in numbers]
    whole = {
        "seconds": round(statistics.median(took for took, *_ in everything), 2),
        "megabytes": round(max(most for _, most, *_ in everything)),
    } | everything[0][3]
    for name, bar in BAR_OF_EVERYTHING.items():
        print(f"everything, {name:<18}{whole[name]:>12,} of {bar:,}")
    print(f"everything, jobs: {everything[0][2]}")
    shares = [BAR_SECONDS / seconds, BAR_MEGABYTES / megabytes]
    shares += [BAR_OF_EVERYTHING[name] / whole[name] for name in ("seconds", "megabytes")]
    shares += [whole[name] / BAR_OF_EVERYTHING[name] for name in everything[0][3]]
    ratio = min(shares)
    cpu = round(statistics.median(sum(row[2] for row in rows) for rows, *_ in rounds), 2)
    detail = {
        "seconds": round(seconds, 2),
        "cpu_seconds": cpu,
        "load_before": round(load, 1),
        "megabytes": round(megabytes),
        "jobs": jobs,
        "balance": spread,
        "everything": whole | {"jobs": everything[0][2]},
    }
    result = {"name": "plan", "ratio": round(ratio, 3), "target": 1, "equal": not faults, "device": "cpu"}
    print(json.dumps(result | {"detail": detail}))
    return 0 if ratio >= 1 and not faults else 1


if __name__ == "__main__":
    sys.exit(main())

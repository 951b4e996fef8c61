"""A first real run, rehearsed: `config/mouse_small.yaml` to its report, from a mirror on loopback.

The mirror lists every project of the archive; the studies that the config draws are generated at full width
(`tools/lifelike_archive.py`), and genuine ones are put among them. Bars: an hour on two cores, 6 GB for all processes.
`--folder` keeps everything, and starts again where it was; without it, all is thrown away.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pandas as pd
import yaml

sys.path.insert(0, str(Path(__file__).parent / "tools"))
import plan

sys.path.insert(0, str(plan.REPOSITORY / "workflow" / "scripts"))
import archive_mirror
import lifelike_archive
import whole_run

BAR_SECONDS, BAR_MEGABYTES, CORES = 3600, 6000, 2


def listing(organism, genuine):
    """All runs of the archive: the real list where it is at hand, else as many studies of like sizes."""
    if archive_mirror.INVENTORY.exists():
        runs = plan.inventory(archive_mirror.INVENTORY.parent, organism)
        return runs[~runs["project"].isin(genuine)]
    rows = [
        ("sra", f"SRP{study:06d}", f"SRR{study:06d}{run:05d}")
        for study, size in enumerate(archive_mirror.study_sizes(10_000))
        for run in range(size)
    ]
    return pd.DataFrame(rows, columns=["source", "project", "external_id"])


def shortened(config):
    """The config with few studies, steps, scouts, episodes and methods."""
    # One study is damaged even where it is more than the share that is allowed.
    config["archive"] |= {"draw_studies": 40, "batches": 2, "max_failed_share": 0.05}
    base, scheme = config["pretrain"]["bases"]["mlp"], config["guide"]["schemes"]["cluster_pairs"]
    base |= {"steps": 20, "warm_up_steps": 2, "validate_every_steps": 10, "checkpoint_every_steps": 10}
    scheme |= {"scouts": 4, "scouts_per_block": 4, "clusters": 8}
    methods = ["guided@per_tensor", "full_fine_tuning", "permuted@per_tensor", "nearest_centroid@genes"]
    config["fewshot"] |= {"episodes": 8, "validation_episodes": 2, "methods": methods}
    return config


def prepare(folder, organism, quick):
    """List, draw, generate; writes the mirror and the config, and returns the runs of each planned project."""
    mirror = folder / "mirror"
    config = yaml.safe_load((plan.REPOSITORY / f"config/{organism}_small.yaml").read_text())
    config["archive"] |= {"mirrors": [str(mirror)]}
    config = shortened(config) if quick else config
    if (folder / "planned.tsv").exists():
        planned = pd.read_csv(folder / "planned.tsv", sep="\t", dtype=str)
        return config, planned.groupby("project")["run"].agg(list).to_dict()
    genuine = lifelike_archive.add_genuine(mirror, organism)
    rows = [("sra", project, run) for project, runs in genuine.items() for run in runs]
    genuine_rows = pd.DataFrame(rows, columns=["source", "project", "external_id"])
    plan.write_mirror(pd.concat([listing(organism, genuine), genuine_rows], ignore_index=True), mirror, organism)
    whole_run.write_config(folder, config)
    _, _, status = whole_run.run(folder, 1, arguments=["--until", "list_studies"])
    if status:
        sys.exit(f"planning failed, see {folder}/run.log")
    plans = sorted((folder / "results" / config["name"] / "archive/plan").glob("*.tsv"))
    planned = pd.concat([pd.read_csv(path, sep="\t", dtype=str) for path in plans])
    drawn = planned.groupby("project")["run"].agg(list).to_dict()
    missing = {project: runs for project, runs in drawn.items() if project not in genuine}
    lifelike_archive.write_archive(mirror, organism, missing, os.cpu_count())
    if not genuine.keys() <= drawn.keys():  # too small to be drawn: named with those that are
        drawn |= genuine
        rows += [("sra", project, run) for project, runs in missing.items() for run in runs]
    pd.DataFrame([(p, r) for p, runs in drawn.items() for r in runs], columns=["project", "run"]).to_csv(
        folder / "planned.tsv", sep="\t", index=False
    )
    return config, drawn


def rehearse(folder, organism, quick, seconds):
    """Prepare and run; returns (seconds, megabytes, table of rules, facts), or stops when the time is over."""
    config, drawn = prepare(folder, organism, quick)
    if organism == "human":
        config["archive"] |= {"studies": sorted(drawn), "draw_studies": 0, "max_runs": 0, "min_runs": 1}
    spent = folder / "spent.json"
    before = json.loads(spent.read_text()) if spent.exists() else {"seconds": 0, "megabytes": 0}
    # One address for all attempts, or another mirror would be another run.
    with archive_mirror.serve(folder / "mirror", before.get("port", 0)) as address:
        config["archive"]["mirrors"] = [address]
        whole_run.write_config(folder, config)
        took, most, status = whole_run.run(folder, CORES, seconds)
    now = {"seconds": before["seconds"] + took, "megabytes": max(before["megabytes"], most)}
    spent.write_text(json.dumps(now | {"port": int(address.rsplit(":", 1)[1])}))
    results = folder / "results" / config["name"]
    if status or not (results / "report.html").exists():
        sys.exit(
            f"not finished after {now['seconds']:.0f} s; see {folder}/run.log, and start again with --folder {folder}"
        )
    table = whole_run.rules_table(results)
    samples = pd.read_parquet(results / "corpus/samples.parquet", columns=["sample", "study"])
    listed = pd.read_csv(results / "archive/studies.tsv", sep="\t")
    # of a trimmed genuine file all counts may be zero: then its runs are dropped, with that reason
    read = {*samples["study"].astype(str), *pd.read_csv(results / "corpus/dropped_runs.tsv", sep="\t")["study"]}
    facts = {
        "planned_studies": int(listed["batch"].notna().sum()),
        "planned_runs": int(listed.loc[listed["batch"].notna(), "runs"].sum()),
        "samples": len(samples),
        "studies": samples["study"].nunique(),
        "fetched_gb": whole_run.bytes_below(results / "archive/batches") / 1e9,
        "disk_gb": whole_run.bytes_below(results) / 1e9,
        "genuine": sorted(read & set(lifelike_archive.genuine_projects(organism))),
    }
    return now["seconds"], now["megabytes"], table, facts


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="40 studies, few steps, scouts and methods")
    parser.add_argument("--organism", choices=["mouse", "human"], default="mouse")
    parser.add_argument("--folder", type=Path, help="keep mirror and results here, and go on from them")
    parser.add_argument("--seconds", type=float, help="start no more jobs after this time")
    arguments = parser.parse_args()
    folder = arguments.folder or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    try:
        given = folder, arguments.organism, arguments.quick, arguments.seconds
        seconds, megabytes, table, facts = rehearse(*given)
    finally:
        if not arguments.folder:
            shutil.rmtree(folder, ignore_errors=True)
    print(table.to_string())
    print(", ".join(f"{name} {value}" for name, value in facts.items()))
    ratio = min(BAR_SECONDS / seconds, BAR_MEGABYTES / megabytes)
    print(
        f"bars: {seconds:.0f} s of {BAR_SECONDS} on {CORES} cores, {megabytes:.0f} MB of {BAR_MEGABYTES}: {ratio:.2f}"
    )
    detail = facts | {"seconds": seconds, "megabytes": megabytes, "rules": table.to_dict("index")}
    equal = facts["samples"] > 0 and (
        arguments.quick or bool(facts["genuine"]) or not archive_mirror.INVENTORY.exists()
    )
    result = {"name": "first_run", "ratio": ratio, "target": 1, "equal": equal, "device": "cpu", "detail": detail}
    print(json.dumps(result))
    return 0 if ratio >= 1 and equal else 1


if __name__ == "__main__":
    sys.exit(main())

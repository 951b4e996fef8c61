"""Whether what jobs ask for (`rules/needs.tsv`) was enough: measured peaks and minutes of a run beside them.

`needs_check.py RESULTS...` reads the folders of finished runs, such as the rehearsals', and prints for each rule its
largest job: resident megabytes (pages of mapped files included, which a cluster may count), minutes, and what was
asked for. The exit status is 1 if a job needed more than it had asked for.
"""

import sys
from pathlib import Path

import pandas as pd
import yaml

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

from scarceseq.config import needs

MEGABYTE = 1.048576  # of 10^6 bytes, in one of 2^20
BATCHED = ("fetch_batch", "build_shard")  # their jobs are as large as a batch


def sizes_of(results):
    """Samples, genes, runs of the largest batch, and scouts of a block, in the units of needs."""
    samples = len(pd.read_parquet(results / "corpus/samples.parquet", columns=["sample"]))
    genes = len(pd.read_parquet(results / "corpus/genes.parquet"))
    plans = [len(pd.read_csv(path, sep="\t", dtype=str)) for path in (results / "archive/plan").glob("*.tsv")]
    schemes = yaml.safe_load((results.parents[1] / "config.yaml").read_text())["guide"]["schemes"]
    scouts = min(scheme["scouts_per_block"] for scheme in schemes.values())
    whole = {"1000_samples": samples / 1000, "1000_genes": genes / 1000, "scout": scouts}
    return whole, whole | {"1000_samples": max(plans, default=0) / 1000}


def compare(results):
    """One row per rule: measured and asked megabytes and minutes."""
    table, (whole, batch), rows = needs.read_needs(Path(__file__).parents[2] / "rules/needs.tsv"), sizes_of(results), []
    for stage in sorted((results / "benchmarks").iterdir()):
        files = [pd.read_csv(path, sep="\t") for path in stage.rglob("*.tsv")]
        if stage.name not in table or not files:
            continue
        measured = pd.concat(files)[["s", "max_rss"]].apply(pd.to_numeric, errors="coerce").max()
        size = batch if stage.name in BATCHED else whole
        asked = table[stage.name].mem_mb(size, 1), table[stage.name].runtime(size, 1)
        rows.append((stage.name, measured["max_rss"] * MEGABYTE, asked[0], measured["s"] / 60, asked[1]))
    return pd.DataFrame(rows, columns=["rule", "peak_mb", "asked_mb", "minutes", "asked_minutes"]).set_index("rule")


def main(*folders):
    """Exit status."""
    short = 0
    for folder in map(Path, folders):
        table = compare(folder)
        short += int(((table["peak_mb"] > table["asked_mb"]) | (table["minutes"] > table["asked_minutes"])).sum())
        print(f"{folder.name}\n{table.round(1).to_string()}")
    print(f"{short} rules had a job that needed more than it asked for")
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

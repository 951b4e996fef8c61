"""Hashes of all that a run computes: a change of the code's structure shows with them that it changes no number.

``python tests/workflow/golden.py record FILE`` runs the embedded default, ``tests/config/tiny.yaml``, an own study and
a small design in a copy of the repository and writes a hash of every table, model and guide. ``compare OLD NEW`` lists
what differs between two such files, and ends with an error if anything does. Renamed columns and methods go into
`RENAMED` (new name to old one): both sides are compared under their old names.
"""

import argparse
import hashlib
import json
import sys
import tempfile
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import yaml
from helpers import REPOSITORY, copy_repository, snakemake

sys.path.insert(0, str(REPOSITORY / "workflow/scripts"))
from scarceseq.config import former_names

# New name of a column, file or method -> the old one.
RENAMED: dict[str, str] = {
    **former_names.METHODS,
    **former_names.SELECTORS,
    "centred_unit_length": "2.0",
    "unit_length": "1.0",
    "unchanged": "0.0",
    "ranks_centred_unit_length": "5.0",
    "ranks_unit_length": "4.0",
    "ranks_unchanged": "3.0",
}
# The same for words that one folder of results spelled differently from another.
RENAMED_IN = {
    "own_study": {
        "better": "win",
        "worse": "loss",
        "no difference": "no difference detected",
        "undecided": "underpowered",
        "not tested": "underpowered",
    },
    "perturbation": {"undecided": "no difference shown", "not tested": "no difference shown"},
    "selection": {
        "no difference": "no worthwhile difference",
        "undecided": "underpowered",
        "not tested": "not judged",
    },
}
# Columns that hold times of the clock.
SENTENCES = {"verdict"}  # of JSON files: their wording may change
CLOCK = {"seconds", "seconds_per_fit", "date", "fetched", "time"}
LEFT_OUT = ("logs", "benchmarks", "events", ".lock", "figures", "tables", "ro-crate-metadata.json")
SUFFIXES = (".tsv", ".tsv.gz", ".parquet", ".npy", ".h5ad", ".safetensors", ".json")
TINY = ("--configfile", "tests/config/tiny.yaml")


def old_name(text, stage=""):
    """A text with every renamed word under its old name."""
    renamed = RENAMED | RENAMED_IN.get(stage, {})
    if text in renamed:
        return renamed[text]
    return "/".join(RENAMED.get(word, word) for word in text.split("/")) if "/" in text else text


def digest(*texts):
    """SHA-256 of some texts or bytes."""
    total = hashlib.sha256()
    for text in texts:
        total.update(text if isinstance(text, bytes) else str(text).encode())
        total.update(b"\0")
    return total.hexdigest()


def cell_text(value, stage):
    """A cell of a table as text, under its old name."""
    return old_name(value, stage) if isinstance(value, str) else repr(value)


def table_digest(frame, stage):
    """Hash of a table that depends neither on the order of its columns nor on that of its rows."""
    cells = {
        old_name(str(name)): [cell_text(value, stage) for value in frame[name].tolist()]
        for name in frame.columns
        if name not in CLOCK
    }
    names = sorted(cells)
    rows = sorted(zip(*(cells[name] for name in names), strict=True)) if names else []
    return digest("\t".join(names), *("\t".join(row) for row in rows))


def array_digest(path):
    """Hash of all data sets of an HDF5 file."""
    lines = []

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            value = np.asarray(item[()])
            lines.append(
                f"{old_name(name)} {digest(value.astype(bytes) if value.dtype == object else value.tobytes())}"
            )

    with h5py.File(path) as file:
        file.visititems(visit)
    return digest(*sorted(lines))


def plain(value):
    """A JSON value with old names, without times of the clock and sentences."""
    if isinstance(value, dict):
        return {old_name(key): plain(item) for key, item in value.items() if key not in CLOCK | SENTENCES}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return old_name(value) if isinstance(value, str) else value


def file_digest(path, stage):
    """Hash of the content of one file of a stage's folder."""
    if path.name.endswith((".tsv", ".tsv.gz")):
        return table_digest(pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, quoting=3), stage)
    if path.suffix == ".parquet":
        return table_digest(pd.read_parquet(path), stage)
    if path.suffix == ".json":
        return digest(json.dumps(plain(json.loads(path.read_text())), sort_keys=True))
    if path.suffix == ".h5ad":
        return array_digest(path)
    return digest(path.read_bytes())


def hashes(folder):
    """Hash of the content and of the bytes of each file of a results folder, by its path."""
    rows = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if (
            not path.is_file()
            or not path.name.endswith(SUFFIXES)
            or name.split("/")[0] in LEFT_OUT
            or "/events/" in name
        ):
            continue
        rows[old_name(name)] = [file_digest(path, name.split("/")[0]), digest(path.read_bytes())]
    return rows


def write_own_study(folder):
    """Counts and labels of a study for ``tests/config/own_study.yaml``, from the tiny run's test studies."""
    corpus = anndata.read_h5ad(folder / "results/tiny/corpus/corpus.h5ad")
    splits = pd.read_csv(folder / "results/tiny/corpus/splits.tsv", sep="\t").set_index("study")["role"]
    tested = corpus[corpus.obs["study"].map(splits).eq("test").to_numpy()]
    study = tested[tested.obs["study"] == tested.obs["study"].value_counts().index[0]]
    counts = np.asarray(study.X) // 100
    labels = np.array(["control", "treated"])[np.arange(len(counts)) % 2]
    counts[np.ix_(labels == "treated", np.flatnonzero(counts.min(axis=0) > 20)[::40])] *= 8
    names = [f"s{index}" for index in range(len(counts))]
    ids = study.var_names.str.replace(r"\.\d+$", "", regex=True)
    pd.DataFrame(counts.T, pd.Index(ids, name="gene_id"), names).to_csv(folder / "counts.txt", sep="\t")
    pd.DataFrame({"sample": names, "condition": labels}).to_csv(folder / "labels.tsv", sep="\t", index=False)


def write_design(folder):
    """A config of a small design, and its tables."""
    links = [(f"G{a:03d}", f"G{(a * 7 + step) % 120:03d}") for a in range(120) for step in (1, 2, 5)]
    (folder / "links.tsv").write_text("from\tto\n" + "".join(f"{a}\t{b}\n" for a, b in links))
    (folder / "mine.txt").write_text("".join(f"G{index:03d}\n" for index in range(60)) + "FORMER\n")
    (folder / "names.tsv").write_text("alias\tsymbol\nFORMER\tG100\n")
    graph = {"kind": "edges", "path": "links.tsv", "source_column": "from", "target_column": "to"}
    design = {"graph": "mine", "candidates": "mine.txt", "aliases": "names.tsv", "budget": 12, "replicates": 2}
    config = {"name": "mine", "seed": 1, "network": {"graphs": {"mine": graph}}, "design": design}
    (folder / "mine.yaml").write_text(yaml.safe_dump(config))


def record(cores, target):
    """Run everything in a copy of the repository, and write hashes by run and path as each run ends."""
    with tempfile.TemporaryDirectory() as place:
        folder = copy_repository(Path(place) / "scarceseq")
        rows = {}

        def run(name, config):
            snakemake(folder, "--cores", cores, "--configfile", config, fresh=True)
            rows[name] = hashes(folder / "results" / name)
            target.write_text(json.dumps(rows, indent=1, sort_keys=True) + "\n")

        write_design(folder)
        run("mine", "mine.yaml")
        run("tiny", "tests/config/tiny.yaml")
        write_own_study(folder)
        snakemake(folder, "--cores", cores, "results/tiny/packed/mlp.cluster_pairs.zip", *TINY, fresh=True)
        run("own", "tests/config/own_study.yaml")
        run("demo", "config/demo.yaml")


def compare(old, new):
    """Lines about what differs."""
    lines = []
    for run, files in old.items():
        for name in sorted({*files, *new[run]}):
            if name not in new[run]:
                lines.append(f"{run}/{name}: no longer made")
            elif name not in files:
                lines.append(f"{run}/{name}: new")
            elif files[name][0] != new[run][name][0]:
                lines.append(f"{run}/{name}: another content")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    recording = commands.add_parser("record")
    recording.add_argument("file", type=Path)
    recording.add_argument("--cores", default="2")
    comparing = commands.add_parser("compare")
    comparing.add_argument("old", type=Path)
    comparing.add_argument("new", type=Path)
    given = parser.parse_args()
    if given.command == "record":
        record(given.cores, given.file)
        return
    old, new = (json.loads(path.read_text()) for path in (given.old, given.new))
    lines = compare(old, new)
    print("\n".join(lines) or "equal")
    print(f"{sum(map(len, old.values()))} files before, {sum(map(len, new.values()))} after, {len(lines)} differences")
    sys.exit(bool(lines))


if __name__ == "__main__":
    main()

"""How often near copies are found, and how often other pairs are taken for them: docs/benchmark/copies.md.

``python benchmarks/tools/copy_errors.py DATA`` reads the real tables under DATA (studies/, bulk/; see docs/data.md),
compares all pairs of samples of one organism on the genes that both tables have, plants copies of drawn samples, and
prints both tables. Gene lengths are taken as equal: the tables hold counts of one annotation each.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow/scripts"))

from scarceseq.corpus import copies

MAPS = {
    "mouse": ("mouse_ensembl_symbol.tsv.gz", "ENSEMBL", "SYMBOL"),
    "human": ("human_symbol_ensembl_entrez.tsv.gz", "Ensembl gene ID", "Approved symbol"),
}
PLANTED_PER_STUDY = 4
LENGTH = 1000.0

Generator = np.random.Generator
PLANTS: dict[str, Callable[[np.ndarray, Generator], np.ndarray]] = {
    "scaled by 3": lambda x, _: 3 * x,
    "scaled by 101, as coverage": lambda x, _: 101 * x,
    "scaled by 0.37 and rounded": lambda x, _: np.round(0.37 * x),
    "counts per million, rounded": lambda x, _: np.round(x / x.sum() * 1e6),
    "nine tenths of the reads": lambda x, random: random.binomial(x.astype(int), 0.9),
    "half of the reads": lambda x, random: random.binomial(x.astype(int), 0.5),
    "a tenth of the reads": lambda x, random: random.binomial(x.astype(int), 0.1),
    "one count more by one": lambda x, random: x + _one(len(x), random),
    "one count more by the total": lambda x, random: x + x.sum() * _one(len(x), random),
    "counted otherwise, 2 % a gene": lambda x, random: np.round(x * np.exp(random.normal(0, 0.02, len(x)))),
    "counted otherwise, 10 % a gene": lambda x, random: np.round(x * np.exp(random.normal(0, 0.1, len(x)))),
}


def _one(genes: int, random: Generator) -> np.ndarray:
    chosen = np.zeros(genes)
    chosen[random.integers(genes)] = 1
    return chosen


def read_tables(data: Path, organism: str) -> dict[str, pd.DataFrame]:
    """Counts by symbol, (genes, samples), of each study; a table whose names are no symbols is left out."""
    file, ensembl, symbol = MAPS[organism]
    table = pd.read_csv(data / "studies/maps" / file, sep="\t", dtype=str)
    names = table.dropna(subset=[ensembl, symbol]).drop_duplicates(ensembl).set_index(ensembl)[symbol]
    found = {}
    for path in [
        *sorted(data.glob(f"studies/{organism}/*/expr.tsv.gz")),
        *sorted(data.glob(f"bulk/{organism}/*/*.gz")),
    ]:
        frame = pd.read_csv(path, sep="\t", index_col=0).select_dtypes("number")
        ids = frame.index.astype(str).str.replace(r"\.\d+$", "", regex=True)
        if ids[0].startswith("ENS"):
            ids = pd.Index(pd.Series(ids).map(names))
        counts = frame.set_axis(ids, axis=0)[ids.notna()].groupby(level=0).sum()
        whole = counts.to_numpy().max(initial=0) > 1000 and (counts.to_numpy() >= 0).all()
        if whole and counts.index.isin(names).mean() > 0.5 and not path.name.startswith(("rpkm", "norm")):
            found[path.parent.name] = counts
    return found


def compare_all(studies: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Index of every pair of samples: same_study, index, genes, copy."""
    wide = pd.concat(studies, axis=1)
    counts, measured = np.nan_to_num(wide.T.to_numpy(float)), wide.notna().T.to_numpy()
    study, rows = wide.columns.get_level_values(0), []
    for one in range(len(counts)):
        for other in range(one):
            both = measured[one] & measured[other]
            index, genes = copies.poisson_index(counts[one, both], counts[other, both])
            rows.append((study[one] == study[other], index, genes, copies.is_copy(index, genes)))
    return pd.DataFrame(rows, columns=["same_study", "index", "genes", "copy"])


def plant(studies: dict[str, pd.DataFrame], random: Generator) -> pd.DataFrame:
    """Planted copies, and lanes: kind, candidate (by the sketch), index, copy (by the counts)."""
    rows = []
    for frame in studies.values():
        counts = np.round(frame.T.to_numpy(float))
        signs, length = copies.signs(list(frame.index)), np.full(frame.shape[0], LENGTH)
        for row in random.choice(len(counts), min(PLANTED_PER_STUDY, len(counts)), replace=False):
            reads = counts[row]
            pairs = {kind: (reads, make(reads, random)) for kind, make in PLANTS.items()}
            lane = random.binomial(reads.astype(int), 0.5)
            for kind, pair in (pairs | {"two lanes of one library": (lane, reads - lane)}).items():
                both = np.stack(pair).astype(float)
                near = copies.candidate_pairs(copies.sketch(both, length, np.ones(2), signs))
                index, genes = copies.poisson_index(*both)
                rows.append((kind, bool(near), index, copies.is_copy(index, genes)))
    return pd.DataFrame(rows, columns=["kind", "candidate", "index", "copy"])


def candidates_within(studies: dict[str, pd.DataFrame]) -> tuple[int, int]:
    """Candidates among all pairs within studies, and pairs."""
    near, pairs = 0, 0
    for frame in studies.values():
        counts = frame.T.to_numpy(float)
        signs, length = copies.signs(list(frame.index)), np.full(frame.shape[0], LENGTH)
        near += len(copies.candidate_pairs(copies.sketch(counts, length, np.ones(len(counts)), signs)))
        pairs += len(counts) * (len(counts) - 1) // 2
    return near, pairs


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--planted-only", action="store_true")
    options, random = parser.parse_args(), np.random.default_rng(1)
    planted = []
    for organism in MAPS:
        studies = read_tables(options.data, organism)
        print(
            f"{organism}: {len(studies)} tables; candidates within studies, pairs: {candidates_within(studies)}",
            flush=True,
        )
        planted.append(plant(studies, random))
        if not options.planted_only:
            pairs = compare_all(studies)
            grouped = pairs.groupby("same_study")
            print(
                grouped.agg(
                    pairs=("copy", "size"), decided=("index", "count"), least=("index", "min"), copies=("copy", "sum")
                )
            )
    table = pd.concat(planted).groupby("kind", sort=False)
    print(
        table.agg(
            tried=("copy", "size"), candidate=("candidate", "mean"), index=("index", "median"), copy=("copy", "mean")
        )
    )


if __name__ == "__main__":
    main()

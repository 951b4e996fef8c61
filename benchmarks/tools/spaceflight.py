"""Flight against ground in left-out missions, by gene-set scores: tables, a figure and a page.

`python benchmarks/tools/spaceflight.py DATA/studies/genesets results/spaceflight docs/benchmark`. Predictions are kept
in the second folder, one file per method and groups left out; a rerun goes on from them. What is compared was written
down before: docs/benchmark/spaceflight_protocol.md.
"""

import itertools
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

import pandas as pd
import torch
from scarceseq.files import atomic, read_table, write_table
from scarceseq.report import style
from spaceflight_fits import (
    CLASSIFIERS,
    DRAWN,
    NETWORKS,
    asked_tables,
    classify,
    network_predictions,
    options,
)
from spaceflight_page import draw, page
from spaceflight_scores import areas, averaged, choose, summary
from spaceflight_tables import Table, read_tables

SEEDS = (1, 2, 3, 4, 5)


def predicted(
    folder: Path, methods: tuple, tables: list[Table], left_out: frozenset, chosen: dict, seed: int
) -> pd.DataFrame:
    """Predictions of the groups left out, made once and read ever after."""
    path = folder / f"{methods[0]}_without_{'_'.join(sorted(left_out))}_seed{seed}.parquet"
    if not path.exists():
        asked = asked_tables(tables, left_out, left_out)
        if methods == NETWORKS:
            found = network_predictions(tables, left_out, asked, chosen, seed)
        else:
            found = classify(methods[0], tables, left_out, asked, chosen[methods[0]], seed)
        write_table(found, path)
    return read_table(path)


def run_methods(folder: Path, methods: tuple, tables: list[Table]) -> pd.DataFrame:
    """Choices by pairs of groups left out, then predictions of each group by what was chosen without it."""
    groups = sorted({table.group for table in tables})
    every = {method: options(method) for method in methods}
    pairs = [frozenset(pair) for pair in itertools.combinations(groups, 2)]
    inner = {pair: predicted(folder, methods, tables, pair, every, 1) for pair in pairs}
    found = []
    for group in groups:
        chosen = {method: [choose(inner, group, method, every[method])] for method in methods}
        for seed in SEEDS if methods[0] in DRAWN else SEEDS[:1]:
            rows = predicted(folder, methods, tables, frozenset([group]), chosen, seed)
            found += [rows[(rows["method"] == method) & fits(rows, *chosen[method][0])] for method in methods]
    return pd.concat(found, ignore_index=True)


def fits(rows: pd.DataFrame, candidate: float, scope: str) -> pd.Series:
    """Whether rows are of this choice: all are, unless the folder is of another run."""
    return (rows["candidate"] == candidate) & (rows["scope"] == scope)


def main(data: str, results: str, pages: str = "", only: str = "") -> None:
    """Make the predictions that lack; with a folder of pages, score them and write tables, figure and page."""
    torch.set_num_threads(1)
    tables, folder = read_tables(data), Path(results)
    folder.mkdir(parents=True, exist_ok=True)
    families = [(method,) for method in CLASSIFIERS] + [NETWORKS]
    families = [methods for methods in families if only in ("", "networks" if methods == NETWORKS else "classifiers")]
    predictions = pd.concat([run_methods(folder, methods, tables) for methods in families], ignore_index=True)
    if not pages or pages == "-":
        return
    scores = areas(averaged(predictions, CLASSIFIERS, SEEDS))
    table = summary(scores)
    write_table(scores.round(4), Path(pages, "spaceflight.tsv"))
    write_table(table.round(4), Path(pages, "spaceflight_summary.tsv"))
    with atomic(Path(pages, "spaceflight.svg")) as path:
        Path(path).write_text(style.svg(draw(table), "spaceflight"))
    with atomic(Path(pages, "spaceflight.md")) as path:
        Path(path).write_text(page(table, scores))


if __name__ == "__main__":
    main(*sys.argv[1:])

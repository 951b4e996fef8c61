"""Gene graphs: their size, and how unevenly their edges are spread."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from scarceseq.files import read_table
from scarceseq.report import style
from scarceseq.report.blocks import Block, Picture, Section, Table
from scarceseq.report.inputs import Inputs
from scarceseq.report.joins import joins_blocks
from scarceseq.report.wording import words
from scarceseq.seals import checked


def graph_table(values: list[tuple[Mapping[str, str], Any]]) -> pd.DataFrame:
    """One row per graph from (what it is of, its JSON description); nested values are left to the files."""
    rows = [
        {"graph": labels["graph"]}
        | {key: value for key, value in value.items() if isinstance(value, (str, int, float, bool))}
        | {
            f"{kind} {which}": value[key][short]
            for key, kind in (("in_degree", "in-degree"), ("out_degree", "out-degree"))
            for which, short in (("median", "median"), ("largest", "max"))
            if key in value
        }
        for labels, value in values
    ]
    table = pd.DataFrame(rows)
    first = [name for name in ("graph", "kind", "nodes", "edges") if name in table.columns]
    return table[first + [name for name in table.columns if name not in first]]


def out_degrees(edges: pd.DataFrame) -> pd.Series:
    """Number of genes that each source gene points to, largest first."""
    return edges.groupby("source").size().sort_values(ascending=False)


def graph_genes(path: Path) -> set[str]:
    """Genes of an edge file."""
    edges = read_table(path, columns=["source", "target"])
    return set(edges["source"]) | set(edges["target"])


def perturbed_genes(screens: list[tuple[Mapping[str, str], Path]]) -> dict[str, set[str]]:
    """Perturbed genes of each screen."""
    import anndata

    return {labels["screen"]: set(anndata.read_h5ad(checked(path), backed="r").obs_names) for labels, path in screens}


@style.styled
def degree_figure(degrees: dict[str, pd.Series]) -> Figure:
    """Share of genes with at least so many out-going edges, one line per graph."""
    drawn, [[ax]] = style.figure(5.2, 3.0)
    for place, (name, counts) in enumerate(degrees.items()):
        ordered = np.sort(counts.to_numpy())
        share = 1 - np.arange(len(ordered)) / len(ordered)
        text = f"{words(name)} ({len(ordered):,} genes)"
        style.tell(ax.step(ordered, share, where="pre", color=style.PALETTE[place % 8], label=text), text)
    ax.set(xlabel="out-going edges of a gene", ylabel="share of genes with\nat least so many", ylim=(0, 1.02))
    ax.yaxis.grid(True)
    ax.legend(loc="best")
    return drawn


def section(inputs: Inputs) -> Section | None:
    """Section of the page, or None if no graph was built."""
    if not inputs.has("graph_json"):
        return None
    table = graph_table(inputs.values("graph_json"))
    if inputs.has("graphs"):
        genes = {labels["graph"]: graph_genes(path) for labels, path in inputs.labelled("graphs")}
        for screen, perturbed in perturbed_genes(inputs.labelled("screen_pseudobulk")).items():
            shares = [len(perturbed & genes[graph]) / len(perturbed) for graph in table["graph"]]
            table[f"perturbed genes of {screen}"] = shares
    note = (
        "Directed edges from source to target; pairs of a gene with itself are left out. Degrees are medians and "
        "largest values; the last columns are the share of a screen's perturbed genes that the graph has."
    )
    blocks: list[Block] = [Table("network_graphs", table, "Graphs", note)]
    if inputs.has("graphs"):
        files = inputs.labelled("graphs")
        degrees = {labels["graph"]: out_degrees(read_table(path, columns=["source"])) for labels, path in files}
        picture = Picture(
            "network_degrees",
            degree_figure(degrees),
            "How many genes a gene points to",
            "Each line falls from 1 as the required number of edges grows; a long right tail means hubs, which "
            "degree-based choices pick first. Genes without out-going edges are not drawn.",
            "; ".join(f"{words(name)}: {int(counts.sum()):,} edges" for name, counts in degrees.items()) + ".",
            "Hubs of an annotation graph are genes of few and common terms, which many others share, not the most "
            "influential ones.",
        )
        blocks.append(picture)
    return Section("network", "Gene graphs", [*blocks, *joins_blocks(inputs, "graph")])

"""Settings of the design of a screen."""

from dataclasses import dataclass
from typing import Annotated, Literal

from scarceseq.keys import Count, File, Limits, Positive, Whole


@dataclass(frozen=True)
class DesignSettings:
    """A list of genes to perturb next, in the order in which to take them, with what each adds. Lists of genes are
    text files with one gene per line, or tables whose first column is the gene (.csv, .tsv, .txt, gzipped or not); a
    first line `gene` is a heading."""

    graph: str
    """Graph to choose by, by its name in network.graphs."""
    candidates: File | None = None
    """Genes to choose from; null for every gene of the graph."""
    measured: File | None = None
    """Genes whose perturbation is measured already; what they reach counts as reached, and they are not chosen."""
    required: File | None = None
    """Genes that must be in; they come first."""
    excluded: File | None = None
    """Genes that must not be in."""
    targets: File | None = None
    """Genes whose perturbation is to be predicted from the measured ones; null for the candidates and the measured
    themselves."""
    aliases: File | None = None
    """Table of other names (former symbols, Ensembl ids, whose versions are ignored) and the symbols that the graph
    uses."""
    alias_column: str = "alias"
    """Column of the other name in aliases."""
    symbol_column: str = "symbol"
    """Column of the graph's symbol in aliases."""
    costs: File | None = None
    """Table of gene and cost (columns `gene` and `cost`, positive), of one replicate; genes that it does not name
    cost 1."""
    gene_weights: File | None = None
    """Table of gene and weight (columns `gene` and `weight`, 0 or more), how much its prediction matters; others
    weigh 1."""
    budget: Positive = 96
    """How many genes, or how much they may cost together, replicates included, if there are costs."""
    hops: Annotated[Count, Limits(le=4)] = 1
    """Steps in the graph that a measurement is taken to reach."""
    direction: Literal["in", "out", "undirected"] = "in"
    """`in`: against the edges, as a graph network learns; `out`: along them; `undirected`: both."""
    usage: bool = True
    """A reached gene counts by how much predictions of the targets lean on it; otherwise each target counts 1."""
    decay: Annotated[float, Limits(gt=0, le=1)] = 1
    """What a gene that is reached is worth per step of distance."""
    random_draws: Annotated[int, Limits(ge=20)] = 100
    """Random choices of the same budget for the band beside the curve."""
    wells_per_plate: Literal[24, 48, 96, 384] = 96
    """Wells of a plate; genes are laid out row by row."""
    replicates: Count = 1
    """Wells of each gene; all genes come once, then all of them again."""
    control_wells: Whole = 8
    """Wells at the end of each plate that are for controls."""

"""Settings of the design of a screen."""

from dataclasses import dataclass
from typing import Annotated, Literal

from scarceseq.keys import Count, File, Limits, Positive, Share, Whole


@dataclass(frozen=True)
class DesignSettings:
    """A list of genes to perturb next, in the order in which to take them, with what each adds. Lists of genes are
    text files with one gene per line, or tables whose first column is the gene (.csv, .tsv, .txt, gzipped or not); a
    first line `gene` is a heading."""

    graph: str
    """Graph of `network.graphs` to choose by."""
    candidates: File | None = None
    """Genes to choose from; null for every gene of the graph."""
    measured: File | None = None
    """Genes that were perturbed already: they are not chosen, and what they reach counts as reached."""
    required: File | None = None
    """Genes that must be chosen; they come first."""
    excluded: File | None = None
    """Genes that must not be chosen."""
    targets: File | None = None
    """Genes whose perturbation is to be predicted from the measured ones; null for the candidates and the measured
    genes."""
    aliases: File | None = None
    """Table of other names (former symbols, Ensembl ids, whose versions are ignored) and the graph's symbols."""
    alias_column: str = "alias"
    """Column of `aliases` with the other name."""
    symbol_column: str = "symbol"
    """Column of `aliases` with the graph's symbol."""
    costs: File | None = None
    """Table of the cost of one replicate (columns `gene` and `cost`, positive)."""
    default_cost: Positive | None = None
    """Cost of a gene that `costs` does not have; null to refuse a candidate without a cost."""
    gene_weights: File | None = None
    """Table of how much the prediction of a gene matters (columns `gene` and `weight`, 0 or more); other genes have
    weight 1."""
    minimum_matched_share: Share = 0.5
    """Share of a table's genes, or of the graph's where these are fewer, that must match by name. Case is ignored where
    one gene alone is meant; a table that matches only so is refused as one of another organism."""
    budget: Positive = 96
    """Number of genes, or, with `costs`, what all replicates of all genes may cost together."""
    hops: Annotated[Count, Limits(le=4)] = 1
    """Steps in the graph that a measurement reaches."""
    direction: Literal["in", "out", "undirected"] = "in"
    """`in`: against the edges, as a graph network learns; `out`: along them; `undirected`: both."""
    usage: bool = True
    """Weight a reached gene by how much predictions of the targets depend on it; otherwise each target counts 1."""
    decay: Annotated[float, Limits(gt=0, le=1)] = 1
    """Factor of a reached gene's worth for each step of distance."""
    random_draws: Annotated[int, Limits(ge=20)] = 100
    """Random choices of the same budget, for the band beside the curve."""
    wells_per_plate: Literal[24, 48, 96, 384] = 96
    """Wells of a plate; genes are placed row by row."""
    replicates: Count = 1
    """Wells of each gene; after one round of all genes comes the next."""
    control_wells: Whole = 8
    """Wells at the end of each plate for controls."""

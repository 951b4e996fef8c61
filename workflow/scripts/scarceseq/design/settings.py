"""Settings of the design of a screen."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from scarceseq.keys import (
    ABSENT,
    Count,
    Distinct,
    File,
    Fraction,
    Limits,
    Name,
    NotNegative,
    Positive,
    Several,
    Share,
    Whole,
    listed,
)


@dataclass(frozen=True, kw_only=True)
class FilterSettings:
    """A table of numbers by which candidates are left out. Required genes stay. Its values are a column of the
    list."""

    path: File
    """Table with the columns `gene` and `column`."""
    column: str
    """Column of the numbers, such as expression (counts per million) or gene effect."""
    minimum: float | None = None
    """Candidates below are left out; null for no limit."""
    maximum: float | None = None
    """Candidates above are left out; null for no limit."""
    missing: Literal["keep", "drop"] = "keep"
    """What becomes of candidates that the table lacks."""


@dataclass(frozen=True, kw_only=True)
class CellSettings:
    """How many cells, and how many genes by how many cells for a budget; from a screen at hand or a pilot's numbers."""

    screen: str | None = None
    """Screen of kind cells, of `screens`, whose cells give the noise and whose perturbations give the signal."""
    pilot: File | None = None
    """In place of `screen`: table of the readout genes (columns `gene`, `mean`, counts of a cell, and `dispersion` of
    their negative binomial). It does not tell the signal, so that genes are not weighed against cells."""
    depth: Positive = 1
    """With `pilot`: planned reads of a cell over those of the pilot."""
    log2_fold_change: Annotated[float, Limits(gt=0, le=10)] = 1
    """Change of a gene that is to be found."""
    changed_genes: Count = 20
    """Readout genes that a perturbation of interest changes so much."""
    cells: Several[Annotated[int, Limits(ge=2)]] = listed(10, 25, 50, 100, 200, 400)
    """Cells of a perturbation, all its guides together."""
    control_cells: Annotated[int, Limits(ge=2)] = 1000
    """Control cells."""
    guides: Count = 2
    """Guides of a gene."""
    guide_variance: NotNegative = 0
    """Variance of a gene's effect between guides, in squared natural logarithms."""
    false_discovery: Fraction = 0.05
    """False discovery rate at which genes are called."""
    level: Fraction = 0.05
    """P below which a perturbation is told from control."""
    budget: Positive | None = None
    """What the experiment may cost, in any currency; null for no plan of genes by cells."""
    cost_per_cell: Positive = 0.05
    """Cost of one cell."""
    reads_per_cell: Positive = 25000
    """Planned reads of a cell."""
    cost_per_million_reads: NotNegative = 2
    """Cost of a million reads."""
    cost_per_guide: NotNegative = 5
    """Cost of one guide."""
    least_cells: Annotated[int, Limits(ge=2)] = 10
    """Fewest cells of a perturbation that are considered."""


@dataclass(frozen=True)
class DesignSettings:
    """A list of genes to perturb next, in the order in which to take them, with what each adds. Lists of genes are
    text files with one gene per line, or tables whose first column is the gene (.csv, .tsv, .txt, gzipped or not); a
    first line `gene` is a heading."""

    graph: str | Several[str]
    """Graph of `network.graphs` to choose by, or a list of several: the similarity of genes is the mean of theirs and
    those of `embeddings`. Reach and coverage are those of the first."""
    embeddings: Distinct[str] = listed()
    """Gene embeddings of `network.embeddings` to choose by besides the graphs, such as profiles of another screen."""
    goal: Literal["knowledge", "hits"] = "knowledge"
    """`knowledge`: the perturbations that are not measured are to be predicted well; genes are chosen by `criterion`.
    `hits`: those of the largest response are to be measured; genes are chosen by `acquisition`, from `responses`."""
    responses: File | None = None
    """Goal `hits`: table of the responses so far, of strong and weak genes alike (a column `gene`, one row each). Its
    genes count as measured."""
    response_column: str = "response"
    """Column of `responses` with the response, such as a log fold change or a score of a pathway."""
    hits_are: Literal["largest", "smallest"] = "largest"
    """Which responses are hits."""
    acquisition: Literal["upper_confidence_bound", "expected_improvement", "thompson", "expected_response"] = (
        "upper_confidence_bound"
    )
    """Goal `hits`: what a gene is taken for, by a Gaussian process on the graphs. `upper_confidence_bound`: its
    expected response and one standard deviation. `expected_improvement` on the best so far. `thompson`: a draw.
    `expected_response`: nothing is explored. Tried on real screens in docs/benchmark/hits.md."""
    criterion: Literal["v_optimal", "reach", "blend", "random"] = "v_optimal"
    """`v_optimal`: leave the least expected error in predicting the targets, by the posterior variance of the predictor
    `mean_kernel`; better than random choice on real screens of knock-downs that a graph predicts
    (docs/benchmark/design.md). `reach`: newly reach most of the graph. `blend`: both. `random`: a draw, for
    comparison."""
    blend: Share = 0.5
    """Criterion `blend`: weight of the expected error; the rest is that of reach, both as shares of their largest
    first gain."""
    candidates: File | None = None
    """Genes to choose from; null for every gene of the graph."""
    measured: str | None = None
    """Genes that were perturbed already: they are not chosen, and the rest is predicted from them. A list; or the first
    round's screen itself, by its name in `screens` or as the `pseudobulk.h5ad` of an earlier run."""
    required: File | None = None
    """Genes that must be chosen; they come first. One that no graph has is kept, unless it looks misspelt."""
    excluded: File | None = None
    """Genes that must not be chosen."""
    targets: File | None = None
    """Genes whose perturbation is to be predicted from the measured ones; null for the candidates."""
    aliases: File | list[File] | None = None
    """Table, or tables, of other names (former symbols, Entrez ids, Ensembl ids, whose versions are ignored) and the
    graph's symbols; case is ignored."""
    alias_column: str | Several[str] = "alias"
    """Column of `aliases` with the other name, or columns; of each table those count that it has."""
    symbol_column: str | Several[str] = "symbol"
    """Column of `aliases` with the graph's symbol, or columns."""
    filters: dict[Name, FilterSettings] = field(default_factory=dict)
    """Tables that leave candidates out, by name: genes that the cells do not express, or cannot do without."""
    library: File | None = None
    """Table of guides, with any columns; `guides.tsv` has its rows for the chosen genes."""
    library_gene_column: str = "gene"
    """Column of `library` with the gene."""
    guides_per_gene: Count = 4
    """Guides of each gene that are taken from `library`, the first ones."""
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
    """Reach: `in`: against the edges, as a graph network learns; `out`: along them; `undirected`: both."""
    usage: bool = True
    """Weight a reached gene by how much predictions of the targets depend on it; otherwise each target counts 1."""
    decay: Annotated[float, Limits(gt=0, le=1)] = 1
    """Factor of a reached gene's worth for each step of distance."""
    random_draws: Annotated[int, Limits(ge=20)] = 100
    """Random choices of the same budget, for the band beside the curve."""
    wells_per_plate: Literal[24, 48, 96, 384] = 96
    """Wells of a plate; genes are placed at random, from the seed."""
    replicates: Count = 1
    """Wells of each gene, never two on one plate."""
    control_wells: Whole = 8
    """Wells for controls on each plate, spread over it."""
    controls: Several[str] = listed("non-targeting", "safe-targeting")
    """Kinds of controls, which take turns in the control wells."""
    cells: CellSettings = ABSENT

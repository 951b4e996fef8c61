"""Settings of gene graphs and gene embeddings."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from scarceseq.keys import Count, Distinct, File, Fraction, Limits, Name, Named, NotNegative, Positive, listed


@dataclass(frozen=True)
class GraphSettings:
    """A gene graph. Each kind has the keys whose descriptions name it, and `genes`."""

    kind: str
    """How the graph is made, by the name of its file in `network/kinds`: `annotation` (shared terms), `edges` (a table
    of links), `corpus_coexpression` (genes that vary together within the studies of the corpus),
    `control_coexpression` (within the control cells of a screen), `union` (of graphs), and the controls `shuffled`
    (genes change places), `rewired` (each gene keeps its number of links) and `thinned` (links are removed)."""
    path: File | None = None
    """Kind `annotation`: gene-term table (.csv, .tsv, .txt, gzipped or not, .parquet), gene sets (.gmt), GO's own
    format (.gaf) or NCBI's gene2go. Kind `edges`: table of links."""
    of: Distinct[str] = listed()
    """Kinds `shuffled`, `rewired`, `thinned`: the one graph to change; kind `union`: the graphs to unite."""
    removed_share: Fraction = 0.1
    """Kind `thinned`: share of the links to remove."""
    screen: str | None = None
    """Kind `control_coexpression`: screen of kind cells."""
    genes: File | None = None
    """Text file with one gene symbol per line. The graph is limited to these genes."""
    gene_column: str = "gene"
    """Kind `annotation`: column of the gene symbol."""
    term_column: str = "term"
    """Kind `annotation`: column of the term."""
    term_separator: Literal[";", "|", ",", "///", "none"] | None = None
    """Kind `annotation`, tables: what stands between several terms in one cell, or `none` where every cell is one term.
    With null, cells of ids (`GO:1;GO:2`) are split, and a cell that may be one name or several stops the run."""
    excluded_evidence: Distinct[str] = listed()
    """Kind `annotation`, GAF and gene2go files: evidence codes to leave out, such as `IMP` (mutant phenotypes), which
    may come from the very screens."""
    taxon: Count | None = None
    """Kind `annotation`, gene2go files: NCBI's number of the organism (human 9606, mouse 10090)."""
    gene_names: File | None = None
    """Kind `annotation`, gene2go files: table of the genes' ids and symbols, such as NCBI's
    `Homo_sapiens.gene_info.gz`."""
    gene_id_column: str = "GeneID"
    """Kind `annotation`: column of the id in `gene_names`."""
    gene_name_column: str = "Symbol"
    """Kind `annotation`: column of the symbol in `gene_names`."""
    excluded_terms: Distinct[str] = listed()
    """Kind `annotation`: terms to leave out, such as GO's three roots (GO:0003674, GO:0005575, GO:0008150), which mean
    that nothing is known."""
    max_genes_per_term: Annotated[int, Limits(ge=2)] | None = None
    """Kind `annotation`: terms with more genes are left out (protein binding has 12,500); null for no limit. Gene sets
    usually stop at 500."""
    min_jaccard: Annotated[float, Limits(ge=0, lt=1)] = 0.1
    """Kind `annotation`: genes are linked if the Jaccard similarity of their term sets is above this."""
    top_k: Count = 20
    """Kinds `annotation` and of co-expression: number of strongest sources that each target gene keeps."""
    ties: Literal["first", "drawn"] = "first"
    """Kind `annotation`: which of equally similar sources stay when there are more than `top_k`: `first`, the first by
    name, as in GEARS, or `drawn`, at random for each target. Hundreds of genes share one term and no other; with
    `first`, those at the beginning of the alphabet become hubs."""
    source_column: str = "source"
    """Kind `edges`: column of the source gene's symbol."""
    target_column: str = "target"
    """Kind `edges`: column of the target gene's symbol."""
    weight_column: str = ""
    """Kind `edges`: column of the weight; empty if every link has weight 1."""
    min_weight: NotNegative = 0
    """Kind `edges`: lighter links are left out, in the table's units."""
    full_weight: Positive = 1
    """Kind `edges`: weight of a certain link, by which all weights are divided (1000 for STRING)."""
    directed: bool = False
    """Kind `edges`: links lead from source to target only; otherwise both ways."""
    split: str | None = None
    """Kind `corpus_coexpression`: split of `corpus.splits` whose pretrain and scout studies are read."""
    min_correlation: Annotated[float, Limits(ge=0, lt=1)] = 0.4
    """Kinds of co-expression: genes are linked if their absolute correlation is above this."""


@dataclass(frozen=True)
class EmbeddingSettings:
    """A gene embedding. Each kind has the keys whose descriptions name it."""

    kind: str
    """Where the embedding comes from, by the name of its file in `network/embeddings`: `corpus_components` (principal
    components of the corpus), `base_model` (the vectors of genes that pre-training learned) or `table` (a table of
    yours)."""
    path: File | None = None
    """Kind `table`: .parquet, .tsv or .tsv.gz with a column of gene symbols and columns of numbers."""
    gene_column: str = "gene_name"
    """Kind `table`: column of the gene symbol."""
    split: str | None = None
    """Kind `corpus_components`: split of `corpus.splits` whose pretrain and scout studies are read."""
    components: Count = 50
    """Kind `corpus_components`: number of components."""
    base: str | None = None
    """Kind `base_model`: base of `pretrain.bases` whose vectors of genes are taken
    (`pretrain/<base>/genes.parquet`)."""


@dataclass(frozen=True)
class NetworkSection:
    """Gene graphs, for choosing perturbations and for predicting their effects."""

    graphs: Named[GraphSettings]
    """Gene graphs by name; results go to `network/<name>.parquet`. The name `none` is taken."""
    embeddings: dict[Name, EmbeddingSettings] = field(default_factory=dict)
    """Gene embeddings for predictors, by name; results go to `network/embeddings/<name>.parquet`."""

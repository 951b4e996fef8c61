"""Settings of gene graphs and gene embeddings."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from scarceseq.keys import Count, Distinct, File, Fraction, Limits, Name, Named, NotNegative, Positive, listed


@dataclass(frozen=True)
class GraphSettings:
    """"""

    kind: str
    """How the graph is made, by the name of its file in `network/kinds`: `annotation` (shared terms), `edges` (a
    table of links), `corpus_coexpression` (genes that move together within the studies of the corpus),
    `control_coexpression` (in the control cells of a screen), `union` (of graphs), and the controls `shuffled`
    (genes change places), `rewired` (degrees stay) and `thinned` (links removed)."""
    path: File | None = None
    """Kind `annotation`: gene-term table (.csv, .tsv, .txt, gzipped or not, .parquet), gene sets (.gmt), GO's own
    format (.gaf) or NCBI's gene2go. Kind `edges`: table of links."""
    of: Distinct[str] = listed()
    """Kinds `shuffled`, `rewired`, `thinned`: the one graph they are made of; kind `union`: the graphs it joins."""
    removed_share: Fraction = 0.1
    """Kind `thinned`: share of the links to remove."""
    screen: str | None = None
    """Kind `control_coexpression`: screen of kind cells."""
    genes: File | None = None
    """Text file with one gene symbol per line; the graph is limited to these genes."""
    gene_column: str = "gene"
    """Kind `annotation`: column of the gene symbol."""
    term_column: str = "term"
    """Kind `annotation`: column of the term."""
    excluded_evidence: Distinct[str] = listed()
    """Kind `annotation`, GAF and gene2go files: evidence codes to leave out (`IMP`, mutant phenotypes, may stem from
    the screens)."""
    taxon: Count | None = None
    """Kind `annotation`, gene2go files: NCBI's number of the organism (human 9606, mouse 10090)."""
    gene_names: File | None = None
    """Kind `annotation`, gene2go files: table of the genes' numbers and symbols, such as NCBI's
    `Homo_sapiens.gene_info.gz`."""
    gene_id_column: str = "GeneID"
    """Column of the number in gene_names."""
    gene_name_column: str = "Symbol"
    """Column of the symbol in gene_names."""
    excluded_terms: Distinct[str] = listed()
    """Kind `annotation`: terms to leave out, such as GO's three roots (GO:0003674, GO:0005575, GO:0008150), which
    mean that nothing is known."""
    max_genes_per_term: Annotated[int, Limits(ge=2)] | None = None
    """Kind `annotation`: terms of more genes are left out (protein binding has 12,500); null for none. Gene sets
    usually stop at 500."""
    min_jaccard: Annotated[float, Limits(ge=0, lt=1)] = 0.1
    """Kind `annotation`: genes are linked if the Jaccard similarity of their term sets is above this."""
    top_k: Count = 20
    """Kinds `annotation` and those of co-expression: strongest sources kept for each target gene."""
    ties: Literal["first", "drawn"] = "first"
    """Kind `annotation`: which of equally similar sources stay where they are more than `top_k`: the first by name,
    as in GEARS, or a fixed draw for each target. Hundreds of genes share one term and no other; with `first`, those
    at the beginning of the alphabet become hubs."""
    source_column: str = "source"
    """Kind `edges`: column of the source gene's symbol."""
    target_column: str = "target"
    """Kind `edges`: column of the target gene's symbol."""
    weight_column: str = ""
    """Kind `edges`: column of the weight; empty if every link weighs 1."""
    min_weight: NotNegative = 0
    """Kind `edges`: lighter links are left out (in the table's own units)."""
    full_weight: Positive = 1
    """Kind `edges`: weight of a certain link, by which weights are divided (STRING scores: 1000)."""
    directed: bool = False
    """Kind `edges`: links lead from source to target only; otherwise both ways."""
    split: str | None = None
    """Kind `corpus_coexpression`: split of the corpus whose pretrain and scout studies are read."""
    min_correlation: Annotated[float, Limits(ge=0, lt=1)] = 0.4
    """Kinds of co-expression: genes are linked if their absolute correlation is above this."""


@dataclass(frozen=True)
class EmbeddingSettings:
    """"""

    kind: str
    """Where the embedding is from, by the name of its file in `network/embeddings`: `corpus_components` (principal
    components of the corpus), `base_model` (the vectors of genes that pre-training learned) or `table` (a table of
    the user)."""
    path: File | None = None
    """Kind `table`: .parquet, .tsv or .tsv.gz with a column of gene symbols and columns of numbers."""
    gene_column: str = "gene_name"
    """Kind `table`: column of the gene symbol."""
    split: str | None = None
    """Kind `corpus_components`: split of the corpus whose pretrain and scout studies are read."""
    components: Count = 50
    """Kind `corpus_components`: number of components."""
    base: str | None = None
    """Kind `base_model`: base of `pretrain.bases` whose vectors of genes are taken
    (`pretrain/<base>/genes.parquet`)."""


@dataclass(frozen=True)
class NetworkSection:
    """Gene graphs, for choosing perturbations and for predicting their effects."""

    graphs: Named[GraphSettings]
    """One gene graph per name; results go to `network/<name>.parquet`. The name `none` is taken."""
    embeddings: dict[Name, EmbeddingSettings] = field(default_factory=dict)
    """One gene embedding per name, for predictors; results go to `network/embeddings/<name>.parquet`."""

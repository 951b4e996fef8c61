"""Settings of the prediction of a user's own study."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from scarceseq.corpus.settings import Orthologues
from scarceseq.fewshot.settings import Fitting
from scarceseq.keys import (
    ABSENT,
    Confidence,
    Count,
    Distinct,
    File,
    Fraction,
    Limits,
    Name,
    Several,
    Share,
    Text,
    Whole,
    listed,
)


@dataclass(frozen=True)
class HeldOut:
    """Samples to predict instead of cross-validation, such as those of a second batch."""

    column: Text
    """Column of `labels` that divides the samples."""
    values: Several[Text]
    """Values in that column whose samples are held out."""


@dataclass(frozen=True)
class FoldSettings:
    """How the study is cross-validated."""

    folds: Annotated[int, Limits(ge=2)] = 5
    """Folds of the cross-validation; fewer where a class has fewer samples."""
    repeats: Count = 5
    """How often the cross-validation is done, each time with other folds."""
    inner_folds: Annotated[int, Limits(ge=2)] = 3
    """Folds within the training samples, on which hyper-parameter and temperature are chosen."""
    least_calibrated: Annotated[int, Limits(ge=2)] = 20
    """With fewer training samples probabilities are left as they are, as a temperature cannot be fitted on a dozen
    samples."""


@dataclass(frozen=True, kw_only=True)
class OwnStudySection(FoldSettings):
    """A study of your own: the best classifier of its genes, beside few-shot methods with a packed model."""

    model: File | None = None
    """A packed model, as the rule pack_model writes it (`results/<name>/packed/<base>.<scheme>.zip`). Null for none:
    the study is then predicted by its own genes alone."""
    name: Name = "own_study"
    """Name of the study. It is refused if the model or its guides were made with a study of this name."""
    accessions: Distinct[Text] = listed()
    """What public archives call this study, such as its project in recount3. It is refused if the model or its guides
    were made with one of these; nothing else recognises a study under another name."""
    counts: File
    """Table of read counts, genes x samples (`.tsv`, `.csv` or `.txt`, also `.gz`, also as R's `write.table` and
    `write.csv` write it), or an `.h5ad` of samples x genes with counts in the layer `counts`, or else in `X`."""
    labels: File | None = None
    """Table with one line per sample; samples that it lacks are left out. Null for the table of samples of an
    `.h5ad`."""
    sample_column: str = "sample"
    """Column of `labels` with the sample names that `counts` has."""
    label: Text
    """Column of `labels` whose values are predicted."""
    classes: Distinct[Text] = listed()
    """Values that are predicted; samples with others are left out. Empty for all."""
    group: str = ""
    """Column of `labels`, such as the animal or the patient, of which no value may be in training and test at once.
    Empty for none."""
    block: str = ""
    """Column of `labels`, such as the batch, within whose values alone labels are permuted. Empty for none."""
    gene_id_type: Literal["ensembl", "symbol", "entrez", "refseq"]
    """Kind of gene id. Versions of Ensembl ids are ignored; symbols match in any case, ambiguous ones are left out;
    `entrez` and `refseq` need `gene_id_table`."""
    gene_id_table: File | None = None
    """Table of the Ensembl id of each Entrez or RefSeq id."""
    gene_id_column: str = "gene_id"
    """Column of `gene_id_table` with the Entrez or RefSeq id."""
    ensembl_column: str = "ensembl_id"
    """Column of `gene_id_table` with the Ensembl id."""
    quantity: Literal["counts", "estimated"] = "counts"
    """What the table holds. `estimated`: counts as salmon, kallisto or RSEM estimate them, which are rounded."""
    duplicate_samples: Literal["refuse", "sum"] = "refuse"
    """What becomes of several columns of one name, such as the lanes of a sample: `sum` adds them up."""
    minimum_matched_share: Share = 0.5
    """Share of the smaller of both sides (the table's genes, the model's) that must match by name."""
    organism: Literal["human", "mouse"] | None = None
    """Organism; null for the model's, needed without `model`. Another one than the model's needs `orthologues`."""
    orthologues: Orthologues | None = None
    minimum_gene_share: Share = 0.5
    """Share of the model's genes that the table must have; a missing gene is put at its mean."""
    methods: Several[str] = listed(
        *("guided@per_tensor", "full_fine_tuning", "logistic@embedding", "logistic@pca", "logistic@genes"),
        *("diagonal_discriminant@genes", "knn@genes", "nearest_centroid@genes", "random_forest@genes"),
    )
    """Few-shot methods to compare on the same folds. The first must be trained by gradient, as its
    decision is explained."""
    best_candidates: Several[str] = listed(
        *("logistic@top_genes", "nearest_centroid@top_genes", "linear_svm@all_genes"),
        *("shrunken_centroids@all_genes", "logistic@gene_sets"),
    )
    """Classifiers of which the best, or their average, is chosen within the training samples of each fold. On all genes
    of the table: `logistic@top_genes`, `nearest_centroid@top_genes` (most differential genes, chosen there too),
    `linear_svm@all_genes`, `shrunken_centroids@all_genes`, `elastic_net@all_genes`, `random_forest@all_genes` (the last
    two are slow). `logistic@embedding` and `logistic@pca` need `model`, `logistic@gene_sets` needs `gene_sets`, and are
    left out without. Those on a model are no default: pooled over real studies they lose against classifiers on the
    study's genes (docs/benchmark/real_studies.md)."""
    gene_sets: File | None = None
    """GMT file of gene sets: which differ between the classes (`gene_set_enrichment.tsv`), and further features: the
    mean rank of each set's genes in a sample."""
    held_out: HeldOut = ABSENT
    permutations: Whole = 99
    """Permutations of the labels with which the best classifier is compared, all choices made anew in each; 0 for none.
    Where there are no more arrangements, each is tried."""
    shuffles: Count = 5
    """How often each gene's values are shuffled between samples, for its permutation importance."""
    path_points: Annotated[int, Limits(ge=2)] = 32
    """Points on the path of integrated gradients."""
    next_per_class: Count | None = None
    """Samples of each class in `layout.tsv`, the layout of the next experiment; null for as many as the smallest class
    has now."""
    next_batches: Count = 2
    """Batches (days, plates, lanes) that the samples of `layout.tsv` are spread over, each with as many of every
    class."""
    named_genes: Count = 50
    """Genes at the top of each list that are compared and shown."""
    confidence: Confidence = 0.95
    """Confidence level of the intervals and of the test by permuted labels."""
    smallest_difference: Fraction = 0.05
    """Smallest difference in balanced accuracy that matters; a comparison that cannot rule it out is called
    undecided."""
    fitting: Fitting = field(default_factory=Fitting)

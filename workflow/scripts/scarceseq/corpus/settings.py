"""Settings of the corpus and of its splits by study."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from scarceseq.archive.settings import MetadataFilter
from scarceseq.keys import Count, Distinct, File, Limits, Name, Named, Share, Text, Whole, listed

StudyName = Annotated[str, Limits(pattern="^[A-Za-z0-9_.]+$")]


@dataclass(frozen=True)
class RunFilter(MetadataFilter):
    """Which runs are kept. Each run that is dropped is listed with its reason in `dropped_runs.tsv`."""

    max_zero_fraction: Share = 0.5
    """Runs in which a larger share of genes has no reads are dropped; single cells have many."""
    zero_fraction_gene_types: Annotated[list[str], Limits(min_length=1)] = listed("protein_coding")
    """Types of gene among which zeros are counted."""
    max_runs_per_study: Count = 500
    """Of larger studies, whole samples are drawn at random, up to this number of runs."""


@dataclass(frozen=True)
class Orthologues:
    """Brings two organisms together by one-to-one pairs of genes. The corpus then has those genes of its organism (the
    archive's, or that of the first of `joined`) that are in such a pair; `orthologues.tsv` says what became of every
    pair. A study that is predicted with a packed model is brought onto the model's genes."""

    table: File
    """Table of pairs, one a line (`.tsv` or `.csv`, also `.gz`), such as an export of Ensembl BioMart."""
    columns: Annotated[dict[Literal["human", "mouse"], Text], Limits(min_length=2)]
    """Column with the gene ids of each organism."""
    gene_id_type: Literal["ensembl", "symbol"] = "ensembl"
    """Kind of gene id. Versions of Ensembl ids are ignored; ambiguous symbols are left out."""


@dataclass(frozen=True)
class VocabularySettings:
    """Brings what authors write of their samples to terms that studies share."""

    attributes: Distinct[Name] = listed()
    """Attributes that get a term, of which the shipped table has `tissue`, `sex` and `strain`; the terms are under
    `tissue_term` and so on, beside what was written, and can be labels of tasks. `corpus/vocabulary.tsv` counts every
    spelling, those without a term too."""
    table: File | None = None
    """Table of more spellings, in the form of the shipped one (`workflow/scripts/scarceseq/corpus/vocabulary.tsv`):
    `attribute`, `kind` (key, value or qualifier), `written`, `term`. Its rows have precedence."""


@dataclass(frozen=True)
class Shares:
    """Shares by which all studies without a given role are drawn, by a hash of their name: adding a study changes no
    other's role. Where the test or validation studies could then not fill a task of `fewshot.tasks` or
    `pretrain.comparison.tasks`, a few studies with its label come from pretrain or scout, each for one without labels;
    the log of `split_studies` names them, and warns of tasks that the corpus cannot fill. Shares add up to 1, or are
    left out if `roles` names every study."""

    pretrain: Share = 0
    """Of studies that train the base model."""
    scout: Share = 0
    """Of studies that train the scouts of guides."""
    validation: Share = 0
    """Of studies on which settings are chosen."""
    test: Share = 0
    """Of studies held out for the final figures."""


@dataclass(frozen=True)
class Split:
    """Role of each study."""

    roles: dict[StudyName, Literal["pretrain", "scout", "validation", "test"]] = field(default_factory=dict)
    """Studies whose role is given."""
    shares: Shares = field(default_factory=Shares)
    seed: Whole = 0
    """Another number draws other studies for each role."""


@dataclass(frozen=True, kw_only=True)
class CorpusSection:
    """The corpus of samples, and its splits by study."""

    gene_types: Distinct[str] = listed("protein_coding")
    """Types of gene that models are trained on; empty for all. TPM is computed before this choice."""
    gene_list: File | None = None
    """Text file of gene ids, one a line, with or without versions: models are trained on these genes alone, and of
    them only on those of `gene_types`. TPM is computed before this choice."""
    measured_share: Annotated[float, Limits(gt=0, le=1)] = 1.0
    """Genes that a smaller share of the studies measured are left out; 1 keeps those that all did. Of a gene that a
    study did not measure, its samples have the mean of the training samples (a z-score of 0), and TPM is over the genes
    that they have. Studies that lack many genes should not have the role `pretrain` or `scout`."""
    dropped_genes: Distinct[str] = listed("ENSMUSG00000074994.5")
    """Ids, with version, of genes that are left out everywhere. The sums of the default one are inflated in the public
    archive."""
    runs: RunFilter = field(default_factory=RunFilter)
    joined: Distinct[Text] = listed()
    """Folders of other runs' corpora (`results/<name>/corpus`) to add to this one, of the same organism or another,
    whose studies are then called `<organism>.<study>`. Studies under `archive.excluded_studies`, or under `accessions`
    of a user's study, are left out. Without a section `archive` the corpus consists of these alone, on the genes of
    the first."""
    orthologues: Orthologues | None = None
    vocabulary: VocabularySettings = field(default_factory=VocabularySettings)
    splits: Named[Split]
    """Divisions of the studies into roles, by name."""

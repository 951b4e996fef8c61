"""Settings of the corpus and of its splits by study."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from scarceseq.archive.settings import MetadataFilter
from scarceseq.keys import Count, Distinct, File, Limits, Named, Share, Text, Whole, listed

StudyName = Annotated[str, Limits(pattern="^[A-Za-z0-9_.]+$")]


@dataclass(frozen=True)
class RunFilter(MetadataFilter):
    """Which runs are kept. Each run dropped is listed with its reason in `dropped_runs.tsv`."""

    max_zero_fraction: Share = 0.5
    """Runs with a larger share of genes at zero are dropped; single cells have many."""
    zero_fraction_gene_types: Annotated[list[str], Limits(min_length=1)] = listed("protein_coding")
    """Types of the genes among which zeros are counted."""
    max_runs_per_study: Count = 500
    """Of larger studies, whole samples are drawn up to this number of runs."""


@dataclass(frozen=True)
class Orthologues:
    """Joins genes of two organisms by one-to-one pairs. A corpus then has the genes of its own organism (the
    archive's, or that of the first of `joined`) that are in such a pair, and `orthologues.tsv` says of every pair
    whether it is used; a study that is predicted with a packed model comes onto the model's genes."""

    table: File
    """Table of pairs, a line each (`.tsv` or `.csv`, also `.gz`), such as an export of Ensembl BioMart."""
    columns: Annotated[dict[Literal["human", "mouse"], Text], Limits(min_length=2)]
    """Column of the gene ids of each organism."""
    gene_id_type: Literal["ensembl", "symbol"] = "ensembl"
    """What the ids are. Versions of Ensembl ids are ignored; ambiguous symbols are left out."""


@dataclass(frozen=True)
class Shares:
    """Shares by which all other studies are drawn, by a hash of their name: adding a study moves no other. They add
    up to 1; they can be left out if every study is named under `roles`."""

    pretrain: Share = 0
    """Trains the base model."""
    scout: Share = 0
    """Trains the scouts of guides."""
    validation: Share = 0
    """Chooses among settings."""
    test: Share = 0
    """Held out for the final figures."""


@dataclass(frozen=True)
class Split:
    """Role of each study."""

    roles: dict[StudyName, Literal["pretrain", "scout", "validation", "test"]] = field(default_factory=dict)
    """Studies whose role is given."""
    shares: Shares = field(default_factory=Shares)
    seed: Whole = 0
    """Changes which studies are drawn for which role."""


@dataclass(frozen=True, kw_only=True)
class CorpusSection:
    """The corpus of samples, and its splits by study."""

    gene_types: Distinct[str] = listed("protein_coding")
    """Types of the genes that models are trained on; all types if empty. TPM is computed before this choice."""
    gene_list: File | None = None
    """Text of gene ids, one a line, with or without versions: models are trained on these genes alone, as far as
    they are of the types of `gene_types`. TPM is computed before this choice."""
    dropped_genes: Distinct[str] = listed("ENSMUSG00000074994.5")
    """Versioned ids of genes left out everywhere. The default's sums are inflated in the public archive."""
    runs: RunFilter = field(default_factory=RunFilter)
    joined: Distinct[Text] = listed()
    """Folders of other runs' corpora (`results/<name>/corpus`) that are joined to this one, of this organism or
    another. Studies of another organism are called `<organism>.<study>`; projects named under
    `archive.excluded_studies`, or as `accessions` of a user's study, are left out. Without a section `archive`, the
    corpus is made of these alone, on the genes of the first."""
    orthologues: Orthologues | None = None
    splits: Named[Split]
    """Named splits of the studies into roles."""

"""Settings of the archive, of what is fetched from it, and of a user's studies."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from scarceseq.keys import (
    Count,
    Distinct,
    File,
    Limits,
    Name,
    NotNegative,
    Positive,
    Several,
    Share,
    Text,
    Whole,
    listed,
)


@dataclass(frozen=True)
class DownloadSettings:
    """How studies are fetched."""

    connections: Annotated[Count, Limits(le=32)] = 8
    """Studies fetched at once by one job, each over one connection. Keep to 4 for servers that are no object store,
    and bound what all jobs open together with `snakemake --resources connections=16`."""
    retries: Annotated[Whole, Limits(le=20)] = 5
    """Further tries at one mirror after an error that may pass."""
    backoff_seconds: NotNegative = 1
    """Wait before the first retry; doubles with each, plus jitter. A server's Retry-After is heeded."""
    timeout_seconds: Positive = 60
    """For connecting, and for each wait for data."""


@dataclass(frozen=True)
class MetadataFilter:
    """Keys of ``corpus.runs`` that need nothing but metadata."""

    kept_types: Annotated[list[str], Limits(min_length=1)] = listed("rna-seq")
    """Kept values of the archive's type labels (`pred.type`, `pattern.predict.type`, `curated.type`); a run without
    a label is kept."""
    min_mapped_reads: Whole = 1000000
    """Runs with fewer mapped reads are dropped."""
    excluded_library_selections: list[str] = listed("size fractionation")
    """Values of `library_selection` whose runs are dropped (small RNA)."""


@dataclass(frozen=True)
class ArchiveSection:
    """The archive in recount3's layout that studies are fetched from."""

    mirrors: Annotated[list[Text], Limits(min_length=1)]
    """Base addresses of the archive, tried in order: `https://`, `http://` or `file://` URLs, or paths of folders. A
    file counts as absent when a folder or an object store says so, or two servers agree."""
    organism: Literal["human", "mouse"]
    """Organism, as the archive names it."""
    annotation: Annotated[str, Limits(pattern="^[A-Z][A-Z0-9]{2,5}$")]
    """Code of the gene annotation, such as `M023` (mouse, Gencode M23) or `G026` (human, Gencode 26)."""
    sources: Several[Annotated[str, Limits(pattern="^[a-z0-9]+$")]] = listed("sra")
    """Data sources of the archive that studies are taken from."""
    batches: Annotated[Count, Limits(le=2000)] = 1
    """Number of batches that the studies are divided into by a hash of their accession: adding a study moves no
    other. Changing the number moves them."""
    giant_studies: Distinct[Annotated[str, Limits(pattern="^[A-Z0-9_-]+$")]] = listed()
    """Accessions of very large studies that each get a batch of their own, besides the `batches`. The log of
    `list_studies` names studies that are larger than a batch on average."""
    min_runs: Count = 10
    """Studies of fewer runs are skipped."""
    studies: Distinct[str] = listed()
    """Accessions of the only studies to take; all studies if empty."""
    excluded_studies: Distinct[str] = listed()
    """Studies to skip, such as those that a downstream test set comes from: accessions of the archive's projects, or
    ids of BioProject, GEO and the like. The latter are looked up in `study_accessions`, and as words in each study's
    own metadata before its counts are fetched; a single sample's id (GSM) there excludes the study too."""
    study_accessions: File | None = None
    """Tab-separated table (also `.gz`) of what other archives call the studies, for `excluded_studies`: the ids in
    one row belong to one study. Columns may have any names, as in the study reports of public archives."""
    max_failed_share: Share = 0.02
    """The run stops when a larger share of the planned studies is missing or damaged."""
    download: DownloadSettings = field(default_factory=DownloadSettings)


@dataclass(frozen=True, kw_only=True)
class UserStudySettings:
    """What the import of a user's study needs to know."""

    name: Name
    """Name of the study; its samples are called `<name>.<sample>`."""
    counts: File
    """Genes x samples table of read counts (`.tsv` or `.csv`, also `.gz`): gene ids in the first column, sample
    names in the first line, every gene of the annotation that was counted."""
    labels: File | None = None
    """Table with one line per sample (`.tsv` or `.csv`, also `.gz`); samples that it lacks are left out."""
    organism: Literal["human", "mouse"] | None = None
    """Organism; the archive's if not given. A study of another organism needs `annotation` and `corpus.orthologues`,
    and is called `<organism>.<name>` in the corpus, in `corpus.splits` too."""
    sample_column: str = "sample"
    """Column of `labels` that holds the names of samples as in `counts`."""
    label_columns: Distinct[str] = listed()
    """Columns of `labels` that become attributes of the samples, and so labels of few-shot tasks."""
    gene_id_type: Literal["ensembl", "symbol"]
    """What the gene ids are. Versions of Ensembl ids are ignored; ambiguous symbols are left out."""
    quantity: Literal["counts"] = "counts"
    """What the table holds. Only counts can be put on one scale with the archive's coverage."""
    min_protein_coding_share: Share = 0.8
    """A table with a smaller share of the annotation's protein-coding genes is refused: it was filtered, and every
    gene that it lacks is lost to the whole corpus."""


@dataclass(frozen=True, kw_only=True)
class UserStudyEntry(UserStudySettings):
    """A user's own study: a table of counts and, if there is one, a table of labels."""

    accessions: Distinct[Text] = listed()
    """What public archives call this study (project, BioProject, GEO series or samples), so that it is not taken
    from the archive too; the same as naming them in `archive.excluded_studies`."""
    annotation: File | None = None
    """Gene annotation of a study of another organism: recount3's GTF, such as `archive/annotation.gtf.gz` of a run
    of that organism. Its gene lengths are used for TPM."""

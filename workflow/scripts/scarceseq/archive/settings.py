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
    """Studies that one job fetches at once, each over one connection. Keep to 4 unless the server is an object store,
    and limit all jobs together with `snakemake --resources connections=16`."""
    retries: Annotated[Whole, Limits(le=20)] = 5
    """Further attempts at one mirror after an error that may pass."""
    backoff_seconds: NotNegative = 1
    """Wait before the first retry; it doubles with each, plus a random share. A server's Retry-After is obeyed."""
    timeout_seconds: Positive = 60
    """Limit for connecting, and for each wait for data."""
    longest_seconds: Positive = 86400
    """Limit for one file, from its first byte to its last."""
    least_bytes_per_second: NotNegative = 1000
    """A file that arrives more slowly, on average after its first minute, is given up."""


@dataclass(frozen=True)
class MetadataFilter:
    """Keys of ``corpus.runs`` that need nothing but metadata."""

    kept_types: Annotated[list[str], Limits(min_length=1)] = listed("rna-seq")
    """Types of run that are kept, by the archive's labels (`pred.type`, `pattern.predict.type`, `curated.type`); a run
    without a label is kept."""
    min_mapped_reads: Whole = 1000000
    """Runs with fewer mapped reads are dropped."""
    excluded_library_selections: list[str] = listed("size fractionation")
    """Values of `library_selection` whose runs are dropped; the default is of small RNA."""


@dataclass(frozen=True)
class ArchiveSection:
    """The archive, in recount3's layout, that studies are fetched from."""

    mirrors: Annotated[list[Text], Limits(min_length=1)]
    """Addresses of the archive, tried in order: `https://`, `http://` or `file://` URLs, or folders. A file counts as
    absent when a folder or an object store says so, or when two servers agree."""
    organism: Literal["human", "mouse"]
    """Organism, as the archive names it."""
    annotation: Annotated[str, Limits(pattern="^[A-Z][A-Z0-9]{2,5}$")]
    """Code of the gene annotation, such as `M023` (mouse, Gencode M23) or `G026` (human, Gencode 26)."""
    sources: Several[Annotated[str, Limits(pattern="^[a-z0-9]+$")]] = listed("sra")
    """Data sources within the archive that studies are taken from."""
    batches: Annotated[Count, Limits(le=2000)] = 1
    """Number of batches that the studies are divided into, by a hash of their accession: adding a study moves no
    other, another number of batches moves them."""
    giant_studies: Distinct[Annotated[str, Limits(pattern="^[A-Z0-9_-]+$")]] = listed()
    """Accessions of very large studies; each gets a batch of its own, besides the `batches`. The log of `list_studies`
    names studies that are larger than an average batch."""
    min_runs: Count = 10
    """Studies with fewer runs are skipped."""
    max_study_runs: Whole = 0
    """Studies with more runs are skipped; 0 for no limit."""
    studies: Distinct[str] = listed()
    """Accessions of the only studies to take; empty for all. No more batches are planned than studies are named."""
    studies_file: File | None = None
    """File with accessions of studies to take, one a line (the first cell of a table will do), besides those of
    `studies`."""
    title_words: Distinct[Text] = listed()
    """Words or phrases: only studies whose title has one of them are taken, in any case. Titles are in each study's
    own metadata, which is fetched for all planned studies; the counts of the others are not fetched."""
    draw_studies: Whole = 0
    """Number of studies to draw among those that are not skipped for another reason, by a hash of their accession and
    the run's `seed`; 0 takes all. When the archive's list grows, few of those drawn change."""
    max_runs: Whole = 0
    """Studies are taken in the order of the draw until the next one would bring them above this number of runs; 0 for
    no limit."""
    excluded_studies: Distinct[str] = listed()
    """Studies to skip, such as those of a later test set: accessions of the archive, or ids of BioProject, GEO and the
    like. The latter are looked up in `study_accessions` and as words in each study's metadata, before counts are
    fetched; a single sample's id (GSM) excludes its study."""
    excluded_must_be_found: bool = False
    """Whether the run stops before training if an excluded id is in no table and no metadata; otherwise the report
    lists it."""
    study_accessions: File | None = None
    """Table of the names that other archives give the studies, for `excluded_studies`: all ids in a row belong to one
    study, and a cell may hold several. Columns may have any name; case and blanks do not count."""
    max_failed_share: Share = 0.02
    """The run stops when a larger share of the planned studies is missing or damaged."""
    download: DownloadSettings = field(default_factory=DownloadSettings)


@dataclass(frozen=True, kw_only=True)
class UserStudySettings:
    """What the import of a user's study needs to know."""

    name: Name
    """Name of the study; its samples are called `<name>.<sample>`."""
    counts: File
    """Table of read counts, genes x samples (`.tsv` or `.csv`, also `.gz`): gene ids in the first column, sample names
    in the first line, and every gene that was counted."""
    labels: File | None = None
    """Table with one line per sample (`.tsv` or `.csv`, also `.gz`). Samples that it lacks are left out."""
    organism: Literal["human", "mouse"] | None = None
    """Organism; null for the archive's. A study of another organism needs `annotation` and `corpus.orthologues`, and
    is called `<organism>.<name>` in the corpus and in `corpus.splits`."""
    sample_column: str = "sample"
    """Column of `labels` with the sample names that `counts` has."""
    label_columns: Distinct[str] = listed()
    """Columns of `labels` that become attributes of the samples, and so labels for few-shot tasks."""
    attribute_names: dict[str, Name] = field(default_factory=dict)
    """Attribute that a column of `label_columns` becomes, where it is to have another name: `{Infection: state}`.
    Tasks then find the columns of several studies under one name."""
    gene_id_type: Literal["ensembl", "symbol", "entrez", "refseq"]
    """What the gene ids are. Versions of Ensembl ids are ignored; symbols match in any case, ambiguous ones are left
    out; `entrez` and `refseq` need `gene_id_table`."""
    gene_id_table: File | None = None
    """Table of the Ensembl id of each Entrez or RefSeq id."""
    gene_id_column: str = "gene_id"
    """Column of `gene_id_table` with the Entrez or RefSeq id."""
    ensembl_column: str = "ensembl_id"
    """Column of `gene_id_table` with the Ensembl id."""
    quantity: Literal["counts", "estimated"] = "counts"
    """What the table holds. Only counts can be brought to the scale of the archive's coverage. `estimated`: counts as
    salmon, kallisto or RSEM estimate them, which are rounded."""
    duplicate_samples: Literal["refuse", "sum"] = "refuse"
    """What becomes of several columns of one name, such as the lanes of a sample: `sum` adds them up."""
    minimum_matched_share: Share = 0.5
    """Share of the smaller of both sides (the table's genes, the annotation's) that must match by name."""
    min_protein_coding_share: Share = 0.8
    """A table with a smaller share of the annotation's protein-coding genes is refused: it was filtered, and the genes
    that it lacks would be lost to the whole corpus."""


@dataclass(frozen=True, kw_only=True)
class UserStudyEntry(UserStudySettings):
    """A user's own study: a table of counts and, if there is one, a table of labels."""

    accessions: Distinct[Text] = listed()
    """What public archives call this study (project, BioProject, GEO series or samples), so that it is not fetched as
    well. The same as naming them in `archive.excluded_studies`."""
    annotation: File | None = None
    """Gene annotation of a study of another organism: recount3's GTF, such as `archive/annotation.gtf.gz` of a run of
    that organism. TPM uses its gene lengths."""

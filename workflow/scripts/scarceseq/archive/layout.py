"""Where things lie below the base of a recount3 mirror.

Source: ``locate_url.R`` of the Bioconductor package recount3. The folder between kind and project is the last two
characters of the project's id.
"""

from dataclasses import dataclass

# The tables of one project, besides its gene sums. "source" is the table of the source itself (`sra.sra...`).
METADATA_KINDS = ("source", "recount_qc", "recount_pred", "recount_seq_qc")
KINDS = ("gene_sums", *METADATA_KINDS)
# Without these a project cannot be used; the others may be absent.
REQUIRED_KINDS = ("gene_sums", "source", "recount_qc")


@dataclass(frozen=True, order=True)
class Study:
    """One project of one source. A project id alone is not a key: some occur in two organisms."""

    organism: str
    source: str
    project: str


def homes_path(organism: str) -> str:
    """List of the sources that an organism has."""
    return f"{organism}/homes_index"


def project_table_path(organism: str, source: str) -> str:
    """Table of all runs of a source."""
    return f"{organism}/data_sources/{source}/metadata/{source}.recount_project.MD.gz"


def annotation_path(organism: str, annotation: str) -> str:
    """Genes of an annotation, in the order of the rows of every gene-sums file."""
    return f"{organism}/annotations/gene_sums/{organism}.gene_sums.{annotation}.gtf.gz"


def study_path(study: Study, kind: str, annotation: str) -> str:
    """Path of one file of a study; of the `KINDS`, only gene sums depend on the annotation, a code such as ``M023``.

    The project's id is taken as it is, so see `scarceseq.archive.names` before it is used as a path.
    """
    home = f"{study.organism}/data_sources/{study.source}"
    folder = f"{study.project[-2:]}/{study.project}"
    if kind == "gene_sums":
        return f"{home}/gene_sums/{folder}/{study.source}.gene_sums.{study.project}.{annotation}.gz"
    table = study.source if kind == "source" else kind
    return f"{home}/metadata/{folder}/{study.source}.{table}.{study.project}.MD.gz"

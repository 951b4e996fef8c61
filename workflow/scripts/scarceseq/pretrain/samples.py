"""The corpus as pre-training and scouts see it: a matrix, and for each row its study and that study's role."""

import hashlib
from dataclasses import dataclass

import numpy as np

from scarceseq.errors import InputError
from scarceseq.files import read_table, sha256

UNUSED = "unused"


@dataclass(frozen=True)
class LabelledMatrix:
    """log2(TPM + 1) with the names of its rows and columns.

    Attributes
    ----------
    expression : numpy.ndarray, (samples, genes)
        Memory-mapped from disk, in half precision: `Base.standardise` makes float32 of it.
    samples, studies, roles : numpy.ndarray of str, (samples,)
        Role is ``unused`` where the split does not name the study.
    gene_ids, gene_names : list of str, (genes,)
    fingerprint : str
        SHA-256 over the matrix file and the gene ids.
    """

    expression: np.ndarray
    samples: np.ndarray
    studies: np.ndarray
    roles: np.ndarray
    gene_ids: list
    gene_names: list
    fingerprint: str

    def rows(self, roles):
        """Ascending row numbers of the samples whose study has one of `roles`."""
        return np.flatnonzero(np.isin(self.roles, list(roles)))


def read_matrix(training, samples, genes, splits, split):
    """Read the training matrix and its tables.

    Parameters
    ----------
    training, samples, genes, splits : str
        Paths of ``training.npy``, ``samples.parquet``, ``genes.parquet``, ``splits.tsv``.
    split : str
        Name of the split that gives each study its role.

    Returns
    -------
    LabelledMatrix

    Raises
    ------
    InputError
        If shapes disagree, the split is unknown or gives a study two roles.
    """
    expression = np.load(training, mmap_mode="r")
    sample_table, gene_table = read_table(samples), read_table(genes)
    if expression.shape != (len(sample_table), len(gene_table)):
        raise InputError(
            f"{training}: shape {expression.shape}, but {samples} has {len(sample_table)} samples and {genes} "
            f"{len(gene_table)} genes; build the corpus again"
        )
    role_of = _roles(splits, split)
    studies = sample_table["study"].astype(str).to_numpy()
    gene_ids = gene_table["gene_id"].astype(str).tolist()
    return LabelledMatrix(
        expression=expression,
        samples=sample_table["sample"].astype(str).to_numpy(),
        studies=studies,
        roles=np.array([role_of.get(study, UNUSED) for study in studies]),
        gene_ids=gene_ids,
        gene_names=gene_table["gene_name"].fillna("").astype(str).tolist(),
        fingerprint=hashlib.sha256("\n".join([sha256(training), *gene_ids]).encode()).hexdigest(),
    )


def _roles(path, split):
    table = read_table(path, dtype=str)
    chosen = table[table["split"] == split]
    if chosen.empty:
        known = ", ".join(sorted(table["split"].unique()))
        raise InputError(f"{path}: there is no split '{split}'; it has: {known}")
    twice = chosen.loc[chosen["study"].duplicated(), "study"]
    if len(twice):
        raise InputError(f"{path}: study {twice.iloc[0]} has two roles in split '{split}'; a study has one role")
    return dict(zip(chosen["study"], chosen["role"], strict=True))

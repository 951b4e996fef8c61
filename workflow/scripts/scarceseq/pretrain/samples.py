"""The corpus as pre-training and scouts see it: a matrix, and for each row its study and that study's role."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from scarceseq.errors import InputError
from scarceseq.files import read_table, sha256
from scarceseq.seals import load_rows

UNUSED = "unused"


@dataclass(frozen=True)
class LabelledMatrix:
    """log2(TPM + 1) with the names of its rows and columns."""

    expression: np.ndarray  # (samples, genes), memory-mapped, in half precision: `Base.standardise` makes float32 of it
    samples: np.ndarray  # str, (samples,), as are studies and roles
    studies: np.ndarray
    roles: np.ndarray  # ``unused`` where the split does not name the study
    gene_ids: list
    gene_names: list
    fingerprint: str  # SHA-256 over the matrix file and the gene ids
    gene_lengths: np.ndarray | None = None  # (genes,), exonic bases
    # (samples,). Reads of a gene are TPM x length x this; NaN where the sample's read length is not known, or its genes
    # are those of another organism, with other lengths.
    reads_per_rate: np.ndarray | None = None
    # Values, (samples,), of the attributes that were asked for; empty where a sample has none, or several that differ.
    attributes: dict = field(default_factory=dict)

    def rows(self, roles: Iterable[str]) -> np.ndarray:
        """Ascending row numbers of the samples whose study has one of `roles`."""
        return np.flatnonzero(np.isin(self.roles, list(roles)))


def read_matrix(
    training: str,
    samples: str,
    genes: str,
    splits: str,
    split: str,
    attributes: str | None = None,
    keys: Iterable[str] = (),
) -> LabelledMatrix:
    """Read the training matrix and its tables from their files; the split of this name gives each study its role.

    Attributes `keys` are read from the table `attributes`. Raises InputError if shapes disagree, the split or an
    attribute is unknown, or a study has two roles.
    """
    expression = load_rows(training)
    sample_table, gene_table = read_table(samples), read_table(genes)
    if expression.shape != (len(sample_table), len(gene_table)):
        raise InputError(
            f"{training}: shape {expression.shape}, but {samples} has {len(sample_table)} samples and {genes} "
            f"{len(gene_table)} genes; build the corpus again"
        )
    role_of = _roles(splits, split)
    studies = sample_table["study"].astype(str).to_numpy()
    gene_ids = gene_table["gene_id"].astype(str).tolist()
    names = sample_table["sample"].astype(str).to_numpy()
    read_length = sample_table["average_mapped_length"].where(sample_table["unit"] != "read_counts", 1.0)
    depth = (sample_table["rate_sum"] / read_length / 1e6).where(
        ~(sample_table["organism"] + "_bp_length").isin(gene_table.columns)
    )
    return LabelledMatrix(
        expression=expression,
        samples=names,
        studies=studies,
        roles=np.array([role_of.get(study, UNUSED) for study in studies]),
        gene_ids=gene_ids,
        gene_names=gene_table["gene_name"].fillna("").astype(str).tolist(),
        fingerprint=hashlib.sha256("\n".join([sha256(training), *gene_ids]).encode()).hexdigest(),
        gene_lengths=gene_table["bp_length"].to_numpy(dtype=np.float64),
        reads_per_rate=depth.to_numpy(dtype=np.float64),
        attributes=_attributes(str(attributes), keys, names) if keys else {},
    )


def _roles(path: str | Path, split: str) -> dict[str, str]:
    table = read_table(path, dtype=str)
    chosen = table[table["split"] == split]
    if chosen.empty:
        splits = ", ".join(sorted(table["split"].unique()))
        raise InputError(f"{path}: there is no split '{split}'; it has: {splits}")
    twice = chosen.loc[chosen["study"].duplicated(), "study"]
    if len(twice):
        raise InputError(f"{path}: study {twice.iloc[0]} has two roles in split '{split}'; a study has one role")
    return dict(zip(chosen["study"], chosen["role"], strict=True))


def _attributes(path: str | Path, keys: Iterable[str], names: np.ndarray) -> dict[str, np.ndarray]:
    table = read_table(path)
    attributes = {}
    for key in keys:
        values = table.loc[table["key"] == key, ["sample", "value"]].dropna().astype(str)
        if values.empty:
            names_there = ", ".join(sorted(table["key"].dropna().astype(str).unique())[:20]) or "none"
            raise InputError(
                f"{path}: there is no attribute '{key}'; attributes there: {names_there}; change it in the config"
            )
        values["value"] = values["value"].str.strip()
        values = values.drop_duplicates().drop_duplicates("sample", keep=False).set_index("sample")["value"]
        attributes[key] = values.reindex(names).fillna("").to_numpy(dtype=object)
    return attributes

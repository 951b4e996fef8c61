"""What tells whether a sample is one that a model was trained on: some genes of each training sample, in 2 kB."""

import numpy as np
import pandas as pd
import torch

from scarceseq.corpus.copies import ALLOWED, PSEUDO_TPM, SLACK, reads_per_unit, settle
from scarceseq.seeds import derive

GENES = 1024
# Mean TPM of the genes taken: of deep and shallow samples alike, some have as many reads as `poisson_index` wants.
LEAST_TPM, MOST_TPM = 2.0, 200.0
ROWS_AT_ONCE = 4096
# Of a whole profile, of which these genes have their share of the slack.
USUAL_GENES = 20_000


def training_sketches(
    log_tpm: np.ndarray, rows: np.ndarray, samples: pd.DataFrame, gene_ids: list[str], mean_tpm: np.ndarray
) -> tuple[dict[str, torch.Tensor], list[str]]:
    """Sketches of a model's training samples, those of `rows` of log2(TPM + 1), and the studies that ``study`` counts.

    `samples` has study, unit, average_mapped_length, rate_sum: see `scarceseq.corpus.merge.sample_table`. The tensors
    are ``genes``, int32, (sketch genes,): columns of the model; ``log_tpm``, float16, (rows, sketch genes);
    ``reads_per_tpm``, float32, (rows,): reads for one TPM and one base; ``study``, int32, (rows,).
    """
    mean = np.asarray(mean_tpm)
    usable = np.flatnonzero((mean >= LEAST_TPM) & (mean <= MOST_TPM))
    if len(usable) < GENES:  # a small corpus: the nearest ones
        usable = np.argsort(np.abs(np.log(np.maximum(mean, 1e-6)) - np.log(20.0)), kind="stable")[:GENES]
    chosen = np.sort(sorted(usable, key=lambda gene: derive(0, "sketch", gene_ids[gene]))[:GENES]).astype(np.int32)
    table = samples.iloc[rows]
    studies, code = np.unique(table["study"].to_numpy(dtype=str), return_inverse=True)
    values = np.empty((len(rows), len(chosen)), dtype=np.float16)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        block = rows[start : start + ROWS_AT_ONCE]
        values[start : start + len(block)] = np.asarray(log_tpm[block])[:, chosen]
    per_tpm = table["rate_sum"].to_numpy(dtype=float) / 1e6 / reads_per_unit(table)
    arrays = {"genes": chosen, "log_tpm": values, "reads_per_tpm": per_tpm.astype(np.float32)}
    arrays["study"] = code.astype(np.int32)
    return {name: torch.from_numpy(array) for name, array in arrays.items()}, studies.tolist()


def copies_among(
    counts: np.ndarray, measured: np.ndarray, bp_length: np.ndarray, sketches: dict[str, torch.Tensor]
) -> list[tuple[int, int, float]]:
    """Samples that are training samples again: sample, row of the sketches, index of `poisson_index`.

    `counts` are reads of the model's genes, (samples, genes); `measured` says which genes the samples' table has.
    """
    genes, log_tpm, per_tpm, study = (sketches[name].numpy() for name in ("genes", "log_tpm", "reads_per_tpm", "study"))
    there = measured[genes]
    genes, log_tpm, length = genes[there], log_tpm[:, there], bp_length[genes[there]]
    mine, theirs = counts[:, genes], _reads(log_tpm, per_tpm, length)
    (left, left_noise), (right, right_noise) = _profile(mine, length), _profile(theirs, length)
    squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None] - 2 * left @ right.T
    slack = SLACK * len(genes) / USUAL_GENES
    close = np.argwhere(squares <= ALLOWED * (left_noise[:, None] + right_noise[None]) + slack)
    first = len(mine)
    pairs = [(int(one), int(other) + first) for one, other in close]
    studies = np.concatenate([np.full(first, -1), study])
    copies = settle(pairs, studies, lambda row: mine[row] if row < first else theirs[row - first])
    return [(one, other - first, index) for one, other, index, _ in copies]


def _reads(log_tpm: np.ndarray, per_tpm: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Reads by gene, (samples, genes), float32."""
    tpm = np.exp2(np.maximum(log_tpm.astype(np.float32), 0)) - 1  # 0 where not measured
    return tpm * per_tpm[:, None].astype(np.float32) * length[None].astype(np.float32)


def _profile(reads: np.ndarray, length: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centred log2 of relative expression of the sketch's genes, and the squared length of its Poisson noise."""
    rates = reads / length
    total = rates.sum(axis=1, keepdims=True)
    # As TPM, if these genes had ten each on average.
    unit = 10.0 * rates.shape[1] / np.where(total > 0, total, 1.0)
    relative = rates * unit
    profile = np.log2(relative + PSEUDO_TPM)
    noise = (relative * unit / length / ((relative + PSEUDO_TPM) * np.log(2)) ** 2).sum(axis=1)
    return (profile - profile.mean(axis=1, keepdims=True)).astype(np.float32), noise

"""The same sample under two names: alike by a sketch, and closer than chance allows by its counts.

Two samples of one library differ by Poisson noise, two animals by more; only what comes from the same reads (a copy,
scaled, thinned, rounded anew, with a count changed) differs by less. Correlation tells none of this.
"""

import hashlib
import logging
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

log = logging.getLogger(__name__)

PROJECTIONS = 64
SKETCH_COLUMNS = PROJECTIONS + 1
BAND = 4  # projections that must fall into one cell together
CELL = 4.0  # width of a cell, in standard deviations of a projection of two copies
# Added to TPM: what is below tells of depth more than of the sample.
PSEUDO_TPM = 10.0
# Genes whose share of the total a copy's changed count may move.
LARGEST_LEFT_OUT = 20
# Noise of two copies is at most that of their reads; a half more covers the sketch's own error.
ALLOWED = 1.5
# Squared length by which copies may differ beside noise: one gene from nothing to `MOST_TPM`, or 5 % in each gene by
# another way of counting.
SLACK = 50.0
# Later samples that a sample is compared with by counts, the nearest of all grids, where samples are all alike: so the
# work stays linear in the samples. A copy among more than so many samples that are nearer is not seen.
MOST_CANDIDATES = 20
# Samples of one cell that a sample's sketch is compared with: those next to it along one more projection.
MOST_COMPARED = 200
MOST_TPM = 1000.0
# Variance of a gene's difference by Poisson noise alone: below, whole numbers are coarse; above, small differences
# between ways of counting weigh more than noise.
LEAST_VARIANCE, MOST_VARIANCE = 10.0, 200.0
LEAST_GENES = 100
MEDIAN_CHI_SQUARE = 0.4549364  # of one degree of freedom
# Standard error of the index, times the root of the number of genes, for independent samples of one library.
INDEX_ERROR = 2.33
# Standard errors below 1 from which on a pair is a copy.
BELOW = 4.0
# Of the median index within a study whose counts were scaled down: they differ by less than Poisson noise among them.
OF_STUDY = 0.5
# Bases that a read covers where no table says it.
USUAL_READ_BASES = 100.0


def signs(gene_ids: list[str]) -> np.ndarray:
    """Projections of genes, by their ids alone: the same gene has the same signs in every corpus.

    Versions of ids do not count. Signs are +-1/8, float32, (genes, `PROJECTIONS`), so that a sketch keeps squared
    distances on average.
    """
    digests = b"".join(hashlib.sha256(str(name).split(".")[0].encode()).digest()[:8] for name in gene_ids)
    bits = np.unpackbits(np.frombuffer(digests, dtype=np.uint8)).reshape(-1, PROJECTIONS)
    return (bits.astype(np.float32) * 2 - 1) / np.float32(np.sqrt(PROJECTIONS))


def sketch(counts: np.ndarray, bp_length: np.ndarray, read_bases: np.ndarray, projections: np.ndarray) -> np.ndarray:
    """What candidates are selected by, (samples, `SKETCH_COLUMNS`), float32, from reads or coverage, (samples, genes).

    Projections of log2(TPM + 10), centred, where TPM leaves out the largest genes' share and is at most `MOST_TPM`; in
    the last column the expected squared length of what Poisson noise adds to the profile. `read_bases`, (samples,), are
    the units of the counts that a read gives.
    """
    rates = counts / bp_length
    most = max(rates.shape[1] - LARGEST_LEFT_OUT, 1)
    total = np.partition(rates, most - 1, axis=1)[:, :most].sum(axis=1)
    per_read = 1e6 / np.where(total > 0, total, 1.0)  # TPM of a rate of one
    tpm = rates * per_read[:, None]
    profile = np.log2(np.minimum(tpm, MOST_TPM) + PSEUDO_TPM)
    variance = tpm * (per_read * read_bases)[:, None] / bp_length
    noise = (variance / ((tpm + PSEUDO_TPM) * np.log(2)) ** 2).sum(axis=1)
    profile -= profile.mean(axis=1, keepdims=True)
    return np.column_stack([profile.astype(np.float32) @ projections, noise]).astype(np.float32)


def near_copies(sketches: np.ndarray, studies: np.ndarray, reads: Callable[[int], np.ndarray]) -> dict[int, int]:
    """Samples that are the same as an earlier one: row of the first of its copies, by row.

    `sketches` are from `sketch`; `reads` gives the reads by gene of a sample.
    """
    if not len(sketches) or len(reads(0)) < LEAST_GENES:
        return {}
    return groups_of(settle(candidate_pairs(sketches), studies, reads))


def candidate_pairs(sketches: np.ndarray) -> list[tuple[int, int]]:
    """Pairs of samples, sorted, that are no further apart than the noise of their reads lets copies be.

    Samples that fall into one cell of a grid are compared, for several grids and widths, with the neighbours that they
    have in the cell; of these a sample keeps the nearest. So the work grows with the samples and not with their square.
    """
    sketches, noise = sketches[:, :PROJECTIONS], sketches[:, PROJECTIONS] + SLACK / (2 * ALLOWED)
    pairs: set[tuple[int, int]] = set()
    classes = np.ceil(np.log2(np.maximum(noise, 1e-3)) / 2).astype(int)
    for level in np.unique(classes):
        rows = np.flatnonzero(classes <= level)
        width = CELL * np.sqrt(2 * 4.0**level / PROJECTIONS)
        for first in range(0, PROJECTIONS, BAND):
            for cell in _cells(sketches[rows, first : first + BAND], width):
                along = sketches[rows[cell], (first + BAND) % PROJECTIONS]
                pairs.update(_close(rows[cell][np.argsort(along, kind="stable")], sketches, noise))
    return _nearest(np.array(sorted(pairs), dtype=int).reshape(-1, 2), sketches)


def _nearest(pairs: np.ndarray, sketches: np.ndarray) -> list[tuple[int, int]]:
    """Of the pairs of each first row the `MOST_CANDIDATES` that are least apart, sorted."""
    blocks = np.array_split(pairs, len(pairs) // 100_000 + 1)
    apart = np.concatenate([((sketches[of[:, 0]] - sketches[of[:, 1]]) ** 2).sum(axis=1) for of in blocks])
    pairs = pairs[np.lexsort((apart, pairs[:, 0]))]
    starts = np.searchsorted(pairs[:, 0], pairs[:, 0])
    places = np.arange(len(pairs)) - starts
    crowded = int((places == MOST_CANDIDATES - 1).sum())
    if crowded:
        text = "%d samples have %d or more others as near as copies are: a copy further off than those is not seen"
        log.warning(text, crowded, MOST_CANDIDATES)
    kept = pairs[places < MOST_CANDIDATES]
    return sorted((int(one), int(other)) for one, other in kept)


def _cells(coordinates: np.ndarray, width: float) -> Iterator[np.ndarray]:
    """Rows of each cell of a grid that holds several."""
    keys = np.floor(coordinates / width).astype(np.int64)
    _, inverse, counts = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    order = np.argsort(inverse.ravel(), kind="stable")
    ends = np.cumsum(counts)
    for stop, count in zip(ends, counts, strict=True):
        if count > 1:
            yield np.sort(order[stop - count : stop])


def _close(rows: np.ndarray, sketches: np.ndarray, noise: np.ndarray) -> Iterator[tuple[int, int]]:
    for place, row in enumerate(rows[:-1]):
        others = rows[place + 1 : place + 1 + MOST_COMPARED]
        apart = ((sketches[others] - sketches[row]) ** 2).sum(axis=1)
        near = np.flatnonzero(apart <= ALLOWED * (noise[others] + noise[row]))
        if len(near) > MOST_CANDIDATES:
            near = near[np.argsort(apart[near], kind="stable")[:MOST_CANDIDATES]]
        for other in others[near]:
            yield min(int(row), int(other)), max(int(row), int(other))


def poisson_index(left: np.ndarray, right: np.ndarray) -> tuple[float, int]:
    """How much two samples' reads, (genes,), differ, where their Poisson noise is 1, and the genes that this rests on.

    Given a gene's sum over both, the reads of the first are binomial with the share of its depth. The squared
    deviations, in units of that variance, have the median of a chi-square of one degree if the samples are independent
    draws from one library. Medians, so that a few changed genes do not matter. NaN if too few genes tell.
    """
    both = left + right
    plenty = both >= 2 * LEAST_VARIANCE
    if plenty.sum() < LEAST_GENES:
        return np.nan, int(plenty.sum())
    share = np.median(left[plenty] / both[plenty])
    variance = both * share * (1 - share)
    used = (variance >= LEAST_VARIANCE) & (variance <= MOST_VARIANCE)
    genes = int(used.sum())
    if genes < LEAST_GENES:
        return np.nan, genes
    squared = (left[used] - both[used] * share) ** 2 / variance[used]
    return float(np.median(squared) / MEDIAN_CHI_SQUARE), genes


def is_copy(index: float, genes: int) -> bool:
    """Whether two samples differ by less than two draws from one library ever do."""
    return bool(genes >= LEAST_GENES and index < 1 - BELOW * INDEX_ERROR / np.sqrt(genes))


def settle(
    pairs: list[tuple[int, int]], studies: np.ndarray, reads: Callable[[int], np.ndarray]
) -> list[tuple[int, int, float, int]]:
    """Pairs of candidates that are copies, with their index and its genes.

    A pair whose samples are copies of one sample already is not compared.
    """
    copies = []
    original: dict[int, int] = {}
    for one, other in pairs:
        first, second = _root(one, original), _root(other, original)
        if first == second:
            continue
        index, genes = poisson_index(reads(one), reads(other))
        if is_copy(index, genes) and index < OF_STUDY * _usual_index(one, other, studies, reads):
            copies.append((one, other, index, genes))
            original[max(first, second)] = min(first, second)
    return copies


def _root(row: int, original: dict[int, int]) -> int:
    """The earliest sample that a sample is a copy of."""
    while row in original:
        row = original[row]
    return row


def _usual_index(one: int, other: int, studies: np.ndarray, reads: Callable[[int], np.ndarray], most: int = 6) -> float:
    """Smaller of the median indices of two samples with others of their own studies, at most 1."""
    medians = [1.0 / OF_STUDY]
    for row in (one, other):
        mates = [mate for mate in np.flatnonzero(studies == studies[row]) if mate not in (one, other)][:most]
        indices = [poisson_index(reads(row), reads(int(mate)))[0] for mate in mates]
        finite = [index for index in indices if np.isfinite(index)]
        if finite:
            medians.append(float(np.median(finite)))
    return min(medians)


def reads_per_unit(samples: pd.DataFrame) -> np.ndarray:
    """Units of the counts that a read gives: its mapped bases where they are coverage, else 1; (samples,)."""
    length = samples["average_mapped_length"].to_numpy(dtype=float)
    length = np.where(np.isfinite(length) & (length > 0), length, USUAL_READ_BASES)
    return np.where(samples["unit"].astype(str).to_numpy() == "base_coverage", length, 1.0)


def groups_of(copies: list[tuple[int, int, float, int]]) -> dict[int, int]:
    """The first sample of each further one's group of copies: a copy of a copy is one of the first."""
    first: dict[int, int] = {}
    for one, other, *_ in sorted(copies):
        first.setdefault(other, first.get(one, one))
    return first

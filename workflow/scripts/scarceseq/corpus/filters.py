"""Which runs their counts rule out."""

import numpy as np

from scarceseq.archive.filters import first_reasons
from scarceseq.corpus.settings import RunFilter


def count_reasons(
    runs: list[str], totals: np.ndarray, zero_fractions: np.ndarray, settings: RunFilter
) -> list[tuple[str, str, str | None]]:
    """Reason and value for each run that its counts rule out.

    `totals`, (runs,), are over all genes; zeros are counted among genes of the types ``zero_fraction_gene_types``.
    """
    zeros = np.asarray(zero_fractions, dtype=float)
    rules = [
        ("all_zero", np.asarray(totals) == 0, None),
        ("zero_fraction", zeros > settings.max_zero_fraction, zeros.round(4)),
    ]
    return first_reasons(runs, rules)

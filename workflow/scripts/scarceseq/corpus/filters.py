"""Which runs their counts rule out."""

from dataclasses import dataclass

import numpy as np

from scarceseq.archive.filters import MetadataFilter, first_reasons


@dataclass(frozen=True)
class RunFilter(MetadataFilter):
    """Config section ``corpus.runs``; its keys are described in the schema."""

    max_zero_fraction: float
    zero_fraction_gene_types: list[str]
    max_runs_per_study: int


def count_reasons(runs, totals, zero_fractions, settings):
    """Reason and value for each run that its counts rule out.

    Parameters
    ----------
    runs : list of str
    totals : array (runs,)
        Sum over all genes.
    zero_fractions : array (runs,)
        Share of zeros among genes of the types ``zero_fraction_gene_types``.
    """
    zeros = np.asarray(zero_fractions, dtype=float)
    rules = [
        ("all_zero", np.asarray(totals) == 0, None),
        ("zero_fraction", zeros > settings.max_zero_fraction, zeros.round(4)),
    ]
    return first_reasons(runs, rules)

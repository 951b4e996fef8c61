"""Ranks of each sample's z-scores among its genes, from -1 to 1: what any monotone change of a sample leaves."""

from scarceseq.fewshot.method import Source, Transform
from scarceseq.fewshot.numerics import within_sample_ranks

NEEDS = ()


def prepare(source: Source) -> Transform:
    """Nothing is fitted."""
    return within_sample_ranks

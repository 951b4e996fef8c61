"""Ranks of each sample's log2(TPM + 1) among its genes, from -1 to 1: what any monotone change of a sample leaves."""

from scarceseq.fewshot.features.logs import prepare as prepare_logs
from scarceseq.fewshot.method import Source, Transform
from scarceseq.fewshot.numerics import within_sample_ranks

NEEDS = ()


def prepare(source: Source) -> Transform:
    """Nothing is fitted."""
    logs = prepare_logs(source)
    return lambda expression: within_sample_ranks(logs(expression))

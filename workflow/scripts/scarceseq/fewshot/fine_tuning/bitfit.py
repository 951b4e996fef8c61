"""Biases, norms and the head are trained, matrices are not (Ben Zaken et al. 2022, BitFit)."""

from scarceseq.fewshot.engine.rates import vector_rate
from scarceseq.fewshot.method import FineTuning

METHOD = FineTuning(rate=vector_rate)

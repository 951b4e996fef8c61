"""Biases, norms and the head are trained, matrices are not (Ben Zaken et al. 2022, BitFit)."""

from scarceseq.fewshot.engine.rates import no_pull, vector_rate
from scarceseq.fewshot.engine.starts import pretrained_start
from scarceseq.fewshot.method import Gradient

GUIDE = None
CANDIDATES = "learning_rate"
NETWORK = True
METHOD = Gradient(start=pretrained_start, rate=vector_rate, precision=no_pull, path="dual")

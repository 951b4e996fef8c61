"""Random initial weights, everything trained: what pre-training has to beat."""

from scarceseq.fewshot.method import Gradient
from scarceseq.fewshot.rates import full_rate, no_pull, random_start

METHOD = Gradient(start=random_start, rate=full_rate, precision=no_pull)

"""Random initial weights, everything trained: what pre-training has to beat."""

from scarceseq.fewshot.method import Gradient
from scarceseq.fewshot.rates import full_rate, no_pull
from scarceseq.fewshot.starts import random_start

GUIDE = None
CANDIDATES = "learning_rate"
NETWORK = True
METHOD = Gradient(start=random_start, rate=full_rate, precision=no_pull, path="dual")

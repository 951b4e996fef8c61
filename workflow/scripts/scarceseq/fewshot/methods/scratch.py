"""Random initial weights, everything trained: what pre-training has to beat."""

from scarceseq.fewshot.engine.rates import full_rate, no_pull
from scarceseq.fewshot.engine.starts import random_start
from scarceseq.fewshot.method import Gradient

GUIDE = None
CANDIDATES = "learning_rate"
NETWORK = True
METHOD = Gradient(start=random_start, rate=full_rate, precision=no_pull, path="dual")

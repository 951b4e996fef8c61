"""Pre-trained weights, everything trained."""

from scarceseq.fewshot.engine.rates import full_rate, no_pull
from scarceseq.fewshot.engine.starts import pretrained_start
from scarceseq.fewshot.method import Gradient

GUIDE = None
CANDIDATES = "learning_rate"
NETWORK = True
METHOD = Gradient(start=pretrained_start, rate=full_rate, precision=no_pull, path="dual")

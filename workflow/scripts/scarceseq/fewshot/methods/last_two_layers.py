"""The last two layers of the encoder and the head are trained."""

from functools import partial

from scarceseq.fewshot.engine.rates import last_layers_rate, no_pull
from scarceseq.fewshot.engine.starts import pretrained_start
from scarceseq.fewshot.method import Gradient

GUIDE = None
CANDIDATES = "learning_rate"
NETWORK = True
METHOD = Gradient(start=pretrained_start, rate=partial(last_layers_rate, count=2), precision=no_pull, path="dual")

"""The last two layers of the encoder and the head are trained."""

from functools import partial

from scarceseq.fewshot.method import Gradient
from scarceseq.fewshot.rates import last_layers_rate, no_pull
from scarceseq.fewshot.starts import pretrained_start

GUIDE = None
CANDIDATES = "learning_rate"
NETWORK = True
METHOD = Gradient(start=pretrained_start, rate=partial(last_layers_rate, count=2), precision=no_pull, path="dual")

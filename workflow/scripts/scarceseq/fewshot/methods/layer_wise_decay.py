"""Each layer learns at half the rate of the one after it (Howard and Ruder 2018)."""

from functools import partial

from scarceseq.fewshot.method import Gradient
from scarceseq.fewshot.rates import decayed_rate, no_pull
from scarceseq.fewshot.starts import pretrained_start

GUIDE = None
CANDIDATES = "learning_rate"
NETWORK = True
METHOD = Gradient(start=pretrained_start, rate=partial(decayed_rate, decay=0.5), precision=no_pull, path="dual")

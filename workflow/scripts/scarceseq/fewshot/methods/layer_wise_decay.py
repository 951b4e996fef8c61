"""Each layer learns at half the rate of the one after it (Howard and Ruder 2018)."""

from functools import partial

from scarceseq.fewshot.engine.rates import decayed_rate, no_pull
from scarceseq.fewshot.engine.starts import pretrained_start
from scarceseq.fewshot.method import Gradient

GUIDE = None
CANDIDATES = "learning_rate"
NETWORK = True
METHOD = Gradient(start=pretrained_start, rate=partial(decayed_rate, decay=0.5), precision=no_pull, path="dual")

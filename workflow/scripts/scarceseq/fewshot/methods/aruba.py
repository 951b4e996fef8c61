"""Pre-trained weights; updates multiplied by ARUBA's rates, which were learned on the scouts' tasks."""

from scarceseq.fewshot.engine.rates import guide_rate, no_pull
from scarceseq.fewshot.engine.starts import pretrained_start
from scarceseq.fewshot.method import Gradient

GUIDE = "meta/aruba"
CANDIDATES = "learning_rate"
NETWORK = True
METHOD = Gradient(start=pretrained_start, rate=guide_rate, precision=no_pull, path="dual")

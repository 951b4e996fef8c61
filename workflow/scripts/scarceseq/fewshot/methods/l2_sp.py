"""Everything trained, every weight pulled to its start alike (Li et al. 2018, L2-SP)."""

from functools import partial

from scarceseq.fewshot.engine.rates import equal_pull, full_rate
from scarceseq.fewshot.engine.starts import pretrained_start
from scarceseq.fewshot.method import Gradient

GUIDE = None
CANDIDATES = "learning_rate"
NETWORK = True
METHOD = Gradient(start=pretrained_start, rate=full_rate, precision=partial(equal_pull, strength=0.1), path="dual")

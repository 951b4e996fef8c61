"""Control of the per-tensor guide: the scouts' squared gradients at the base in place of their displacement."""

from scarceseq.fewshot.engine.rates import guide_rate, no_pull
from scarceseq.fewshot.engine.starts import pretrained_start
from scarceseq.fewshot.method import Gradient

GUIDE = "guide_scheme/fisher"
CANDIDATES = "learning_rate"
NETWORK = True
METHOD = Gradient(start=pretrained_start, rate=guide_rate, precision=no_pull, path="dual")

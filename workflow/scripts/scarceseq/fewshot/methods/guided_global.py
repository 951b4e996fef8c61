"""Pre-trained weights; updates multiplied by the guide that is scaled to [0, 1] over all tensors."""

from scarceseq.fewshot.engine.rates import guide_rate, no_pull
from scarceseq.fewshot.engine.starts import pretrained_start
from scarceseq.fewshot.method import Gradient

GUIDE = "guide_scheme/global"
CANDIDATES = "learning_rate"
NETWORK = True
METHOD = Gradient(start=pretrained_start, rate=guide_rate, precision=no_pull, path="dual")

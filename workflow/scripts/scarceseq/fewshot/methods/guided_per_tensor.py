"""Pre-trained weights; updates multiplied by the guide that is scaled to [0, 1] within each tensor."""

from scarceseq.fewshot.engine.rates import guide_rate, no_pull
from scarceseq.fewshot.engine.starts import pretrained_start
from scarceseq.fewshot.method import Gradient

GUIDE = "guide_scheme/per_tensor"
CANDIDATES = "learning_rate"
NETWORK = True
METHOD = Gradient(start=pretrained_start, rate=guide_rate, precision=no_pull, path="dual")

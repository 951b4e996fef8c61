"""Pre-trained weights; updates multiplied by the guide that is scaled to [0, 1] within each tensor."""

from scarceseq.fewshot.method import Gradient
from scarceseq.fewshot.rates import guide_rate, no_pull
from scarceseq.fewshot.starts import pretrained_start

GUIDE = "guide_scheme/per_tensor"
CANDIDATES = "learning_rate"
NETWORK = True
METHOD = Gradient(start=pretrained_start, rate=guide_rate, precision=no_pull, path="dual")

"""Control of the per-tensor guide: its mean as the one rate of the whole encoder, that is a lower learning rate."""

from scarceseq.fewshot.engine.rates import mean_rate, no_pull
from scarceseq.fewshot.engine.starts import pretrained_start
from scarceseq.fewshot.method import Gradient

GUIDE = "guide_scheme/per_tensor"
CANDIDATES = "learning_rate"
NETWORK = True
METHOD = Gradient(start=pretrained_start, rate=mean_rate, precision=no_pull, path="dual")

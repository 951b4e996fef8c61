"""Control of the per-tensor guide: one minus its values."""

from scarceseq.fewshot.engine.rates import inverse_guide_rate, no_pull
from scarceseq.fewshot.engine.starts import pretrained_start
from scarceseq.fewshot.method import Gradient

GUIDE = "guide_scheme/per_tensor"
CANDIDATES = "learning_rate"
NETWORK = True
METHOD = Gradient(start=pretrained_start, rate=inverse_guide_rate, precision=no_pull, path="dual")

"""Control of the per-tensor guide: its mean in each tensor as that tensor's rate, that is layer-wise learning rates."""

from scarceseq.fewshot.engine.rates import no_pull, tensor_mean_rate
from scarceseq.fewshot.engine.starts import pretrained_start
from scarceseq.fewshot.method import Gradient

GUIDE = "guide_scheme/per_tensor"
CANDIDATES = "learning_rate"
NETWORK = True
METHOD = Gradient(start=pretrained_start, rate=tensor_mean_rate, precision=no_pull, path="dual")

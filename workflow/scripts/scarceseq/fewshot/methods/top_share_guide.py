"""Control of the per-tensor guide: its largest values at 1, the others at 0, its mean in each tensor kept."""

from scarceseq.fewshot.engine.rates import no_pull, top_share_rate
from scarceseq.fewshot.engine.starts import pretrained_start
from scarceseq.fewshot.method import Gradient

GUIDE = "guide_scheme/per_tensor"
CANDIDATES = "learning_rate"
NETWORK = True
METHOD = Gradient(start=pretrained_start, rate=top_share_rate, precision=no_pull, path="dual")

"""Control of the per-tensor guide: matrices over the genes from its means by gene and by unit alone."""

from scarceseq.fewshot.engine.rates import no_pull, rank_one_rate
from scarceseq.fewshot.engine.starts import pretrained_start
from scarceseq.fewshot.method import Gradient

GUIDE = "guide_scheme/per_tensor"
CANDIDATES = "learning_rate"
NETWORK = True
METHOD = Gradient(start=pretrained_start, rate=rank_one_rate, precision=no_pull, path="dual")

"""Control of the global guide: its values shuffled within each tensor, which keeps their distribution alone."""

from scarceseq.fewshot.engine.rates import no_pull, permuted_rate
from scarceseq.fewshot.engine.starts import pretrained_start
from scarceseq.fewshot.method import Gradient

GUIDE = "guide_scheme/global"
CANDIDATES = "learning_rate"
NETWORK = True
METHOD = Gradient(start=pretrained_start, rate=permuted_rate, precision=no_pull, path="dual")

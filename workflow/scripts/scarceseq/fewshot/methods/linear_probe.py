"""Pre-trained encoder left as it is; only the linear head is trained."""

from scarceseq.fewshot.engine.rates import no_pull, no_rate
from scarceseq.fewshot.engine.starts import pretrained_start
from scarceseq.fewshot.method import Gradient

GUIDE = None
CANDIDATES = "learning_rate"
NETWORK = True
METHOD = Gradient(start=pretrained_start, rate=no_rate, precision=no_pull, path="dual")

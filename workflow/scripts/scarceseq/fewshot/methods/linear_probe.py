"""Pre-trained encoder left as it is; only the linear head is trained."""

from scarceseq.fewshot.method import Gradient
from scarceseq.fewshot.rates import no_pull, no_rate
from scarceseq.fewshot.starts import pretrained_start

GUIDE = None
CANDIDATES = "learning_rate"
NETWORK = True
METHOD = Gradient(start=pretrained_start, rate=no_rate, precision=no_pull, path="dual")

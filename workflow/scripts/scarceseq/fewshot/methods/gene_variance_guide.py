"""Control without scouts: genes that vary more in the corpus move more; all else moves freely."""

from scarceseq.fewshot.engine.rates import gene_variance_rate, no_pull
from scarceseq.fewshot.engine.starts import pretrained_start
from scarceseq.fewshot.method import Gradient

GUIDE = None
CANDIDATES = "learning_rate"
NETWORK = True
METHOD = Gradient(start=pretrained_start, rate=gene_variance_rate, precision=no_pull, path="dual")

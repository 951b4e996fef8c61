"""Control of the per-tensor guide: each gene's values shuffled among the units that it leads into."""

from scarceseq.fewshot.engine.rates import no_pull, permuted_within_gene_rate
from scarceseq.fewshot.engine.starts import pretrained_start
from scarceseq.fewshot.method import Gradient

GUIDE = "guide_scheme/per_tensor"
CANDIDATES = "learning_rate"
NETWORK = True
METHOD = Gradient(start=pretrained_start, rate=permuted_within_gene_rate, precision=no_pull, path="dual")

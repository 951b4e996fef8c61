"""Control of the per-tensor guide: its values shuffled within each tensor, which keeps their distribution alone."""

from scarceseq.fewshot.method import Gradient
from scarceseq.fewshot.rates import no_pull, permuted_rate, pretrained_start

METHOD = Gradient(guide="per_tensor", start=pretrained_start, rate=permuted_rate, precision=no_pull)

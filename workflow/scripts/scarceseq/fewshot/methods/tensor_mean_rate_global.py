"""Control of the global guide: its mean in each tensor as that tensor's rate, that is layer-wise learning rates."""

from scarceseq.fewshot.method import Gradient
from scarceseq.fewshot.rates import no_pull, pretrained_start, tensor_mean_rate

METHOD = Gradient(guide="global", start=pretrained_start, rate=tensor_mean_rate, precision=no_pull)

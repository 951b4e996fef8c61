"""Control of a guide: its mean in each tensor as that tensor's rate, that is layer-wise learning rates."""

from scarceseq.fewshot.engine.rates import tensor_mean_rate
from scarceseq.fewshot.method import FineTuning

GUIDED = True
METHOD = FineTuning(rate=tensor_mean_rate)

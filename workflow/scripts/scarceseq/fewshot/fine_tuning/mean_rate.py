"""Control of a guide: its mean as the one rate of the whole encoder, that is a lower learning rate."""

from scarceseq.fewshot.engine.rates import mean_rate
from scarceseq.fewshot.method import FineTuning

GUIDED = True
METHOD = FineTuning(rate=mean_rate)

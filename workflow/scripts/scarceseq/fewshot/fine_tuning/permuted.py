"""Control of a guide: its values shuffled within each tensor, which keeps their distribution alone."""

from scarceseq.fewshot.engine.rates import permuted_rate
from scarceseq.fewshot.method import FineTuning

GUIDED = True
METHOD = FineTuning(rate=permuted_rate)

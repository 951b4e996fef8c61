"""Control of a guide: matrices over the genes from its means by gene and by unit alone."""

from scarceseq.fewshot.engine.rates import rank_one_rate
from scarceseq.fewshot.method import FineTuning

GUIDED = True
METHOD = FineTuning(rate=rank_one_rate)

"""Updates multiplied by a guide: each weight by its own value."""

from scarceseq.fewshot.engine.rates import guide_rate
from scarceseq.fewshot.method import FineTuning

GUIDED = True
METHOD = FineTuning(rate=guide_rate)

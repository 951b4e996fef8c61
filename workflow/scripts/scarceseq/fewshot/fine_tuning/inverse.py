"""Control of a guide: one minus its values."""

from scarceseq.fewshot.engine.rates import inverse_guide_rate
from scarceseq.fewshot.method import FineTuning

GUIDED = True
METHOD = FineTuning(rate=inverse_guide_rate)

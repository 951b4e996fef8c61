"""Control of a guide: its largest values at 1, the others at 0, its mean in each tensor kept."""

from scarceseq.fewshot.engine.rates import top_share_rate
from scarceseq.fewshot.method import FineTuning

GUIDED = True
METHOD = FineTuning(rate=top_share_rate)

"""Pre-trained encoder left as it is; only the linear head is trained."""

from scarceseq.fewshot.engine.rates import no_rate
from scarceseq.fewshot.method import FineTuning

METHOD = FineTuning(rate=no_rate)

"""Each layer learns at half the rate of the one after it (Howard and Ruder 2018)."""

from functools import partial

from scarceseq.fewshot.engine.rates import decayed_rate
from scarceseq.fewshot.method import FineTuning

METHOD = FineTuning(rate=partial(decayed_rate, decay=0.5))

"""The last two layers of the encoder and the head are trained."""

from functools import partial

from scarceseq.fewshot.engine.rates import last_layers_rate
from scarceseq.fewshot.method import FineTuning

METHOD = FineTuning(rate=partial(last_layers_rate, count=2))

"""Low-rank matrices beside each linear layer are trained, the layers are not (Hu et al. 2021, LoRA)."""

from functools import partial

from scarceseq.fewshot.engine.rates import adapter_rate
from scarceseq.fewshot.engine.starts import adapted_start
from scarceseq.fewshot.method import FineTuning

METHOD = FineTuning(start=partial(adapted_start, rank=4, scale=4.0), rate=adapter_rate)

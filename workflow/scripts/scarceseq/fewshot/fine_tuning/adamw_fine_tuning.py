"""Everything trained by AdamW with decay towards the start: the control of `guided_adamw`."""

from functools import partial

from scarceseq.fewshot.engine.rates import equal_pull
from scarceseq.fewshot.method import FineTuning

OPTIMISER = "adam"
METHOD = FineTuning(pull=partial(equal_pull, strength=0.01), optimiser=OPTIMISER)

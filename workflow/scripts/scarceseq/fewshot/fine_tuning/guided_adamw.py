"""A guide multiplies the update of AdamW, after its division; decay goes towards the start."""

from functools import partial

from scarceseq.fewshot.engine.rates import equal_pull, guide_rate
from scarceseq.fewshot.method import FineTuning

GUIDED = True
OPTIMISER = "adam"
METHOD = FineTuning(rate=guide_rate, pull=partial(equal_pull, strength=0.01), optimiser=OPTIMISER)

"""A guide multiplies the gradient that Adam is given, as published code has it: Adam cancels it."""

from scarceseq.fewshot.engine.rates import guide_rate
from scarceseq.fewshot.method import FineTuning

GUIDED = True
OPTIMISER = "adam_on_scaled_gradient"
METHOD = FineTuning(rate=guide_rate, optimiser=OPTIMISER)

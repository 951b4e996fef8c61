"""The guide multiplies the gradient that Adam is given, as published code has it: Adam cancels it."""

from scarceseq.fewshot.engine.rates import guide_rate, no_pull
from scarceseq.fewshot.engine.starts import pretrained_start
from scarceseq.fewshot.method import Gradient

GUIDE = "guide_scheme/per_tensor"
CANDIDATES = "adaptive_learning_rate"
NETWORK = True
METHOD = Gradient(
    start=pretrained_start, rate=guide_rate, precision=no_pull, path="dense", optimiser="adam_on_scaled_gradient"
)

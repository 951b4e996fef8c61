"""The guide multiplies the update of AdamW, after its division; decay goes towards the start."""

from functools import partial

from scarceseq.fewshot.engine.rates import equal_pull, guide_rate
from scarceseq.fewshot.engine.starts import pretrained_start
from scarceseq.fewshot.method import Gradient

GUIDE = "guide_scheme/per_tensor"
CANDIDATES = "adaptive_learning_rate"
NETWORK = True
METHOD = Gradient(
    start=pretrained_start,
    rate=guide_rate,
    precision=partial(equal_pull, strength=0.01),
    path="dense",
    optimiser="adam",
)

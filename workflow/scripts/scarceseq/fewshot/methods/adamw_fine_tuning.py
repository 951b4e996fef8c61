"""Pre-trained weights, everything trained by AdamW with decay towards the start: the control of `guided_adamw`."""

from functools import partial

from scarceseq.fewshot.engine.rates import equal_pull, full_rate
from scarceseq.fewshot.engine.starts import pretrained_start
from scarceseq.fewshot.method import Gradient

GUIDE = None
CANDIDATES = "adaptive_learning_rate"
NETWORK = True
METHOD = Gradient(
    start=pretrained_start, rate=full_rate, precision=partial(equal_pull, strength=0.01), path="dense", optimiser="adam"
)

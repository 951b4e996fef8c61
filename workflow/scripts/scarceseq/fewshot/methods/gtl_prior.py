"""Everything trained, each weight pulled to its start by 1 / (guide + 0.01): the guide as a prior.

The mean pull is that of L2-SP.
"""

from functools import partial

from scarceseq.fewshot.engine.rates import full_rate, inverse_guide_pull
from scarceseq.fewshot.engine.starts import pretrained_start
from scarceseq.fewshot.method import Gradient

GUIDE = "guide_scheme/per_tensor"
CANDIDATES = "learning_rate"
NETWORK = True
METHOD = Gradient(
    start=pretrained_start, rate=full_rate, precision=partial(inverse_guide_pull, strength=0.1), path="dense"
)

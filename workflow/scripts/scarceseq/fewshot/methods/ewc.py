"""Everything trained, each weight pulled to its start by its Fisher information in pre-training's task.

Kirkpatrick et al. 2017 (EWC); the mean pull is that of L2-SP.
"""

from functools import partial

from scarceseq.fewshot.engine.rates import fisher_pull, full_rate
from scarceseq.fewshot.engine.starts import pretrained_start
from scarceseq.fewshot.method import Gradient

GUIDE = None
CANDIDATES = "learning_rate"
NETWORK = True
METHOD = Gradient(
    start=pretrained_start, rate=full_rate, precision=partial(fisher_pull, strength=0.1), path="dense", reference=True
)

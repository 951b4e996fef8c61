"""The 0.5 % of weights of largest expected Fisher information on the support are trained (Sung et al. 2021)."""

from functools import partial

from scarceseq.fewshot.engine.rates import largest_fisher_rate, no_pull
from scarceseq.fewshot.engine.starts import pretrained_start
from scarceseq.fewshot.method import Gradient

GUIDE = None
CANDIDATES = "learning_rate"
NETWORK = True
METHOD = Gradient(
    start=pretrained_start,
    rate=partial(largest_fisher_rate, share=0.005, expected=True),
    precision=no_pull,
    path="dual",
    per_episode=True,
)

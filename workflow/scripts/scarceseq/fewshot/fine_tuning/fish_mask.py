"""The 0.5 % of weights of largest expected Fisher information on the support are trained (Sung et al. 2021)."""

from functools import partial

from scarceseq.fewshot.engine.rates import largest_fisher_rate
from scarceseq.fewshot.method import FineTuning

METHOD = FineTuning(rate=partial(largest_fisher_rate, share=0.005, expected=True), per_episode=True)

"""The 30 % of weights of largest empirical Fisher information on the support are trained (Xu et al. 2021)."""

from functools import partial

from scarceseq.fewshot.engine.rates import largest_fisher_rate
from scarceseq.fewshot.method import FineTuning

METHOD = FineTuning(rate=partial(largest_fisher_rate, share=0.3, expected=False), per_episode=True)

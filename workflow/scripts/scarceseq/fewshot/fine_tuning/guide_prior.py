"""Everything trained, each weight pulled to its start by 1 / (guide + 0.01): the guide as a prior.

The mean pull is that of L2-SP.
"""

from functools import partial

from scarceseq.fewshot.engine.rates import inverse_guide_pull
from scarceseq.fewshot.method import FineTuning

GUIDED = True
METHOD = FineTuning(pull=partial(inverse_guide_pull, strength=0.1))

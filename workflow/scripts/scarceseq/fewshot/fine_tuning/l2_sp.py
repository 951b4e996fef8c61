"""Everything trained, every weight pulled to its start alike (Li et al. 2018, L2-SP)."""

from functools import partial

from scarceseq.fewshot.engine.rates import equal_pull
from scarceseq.fewshot.method import FineTuning

METHOD = FineTuning(pull=partial(equal_pull, strength=0.1))

"""Everything trained, each weight pulled to its start by its Fisher information in pre-training's task.

Kirkpatrick et al. 2017 (EWC); the mean pull is that of L2-SP.
"""

from functools import partial

from scarceseq.fewshot.engine.rates import fisher_pull
from scarceseq.fewshot.method import FineTuning

METHOD = FineTuning(pull=partial(fisher_pull, strength=0.1), reference=True)

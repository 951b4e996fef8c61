"""Full fine-tuning from Reptile's start, which was learned on the scouts' tasks."""

from scarceseq.fewshot.engine.rates import full_rate, no_pull
from scarceseq.fewshot.engine.starts import pretrained_start
from scarceseq.fewshot.method import Gradient

GUIDE = "meta/reptile"
CANDIDATES = "learning_rate"
NETWORK = True
METHOD = Gradient(start=pretrained_start, rate=full_rate, precision=no_pull, path="dual", learned_encoder=True)

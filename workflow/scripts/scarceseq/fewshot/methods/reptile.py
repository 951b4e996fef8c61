"""Full fine-tuning from Reptile's start, which was learned on the scouts' tasks."""

from scarceseq.fewshot.method import Gradient
from scarceseq.fewshot.rates import full_rate, no_pull
from scarceseq.fewshot.starts import pretrained_start

GUIDE = "meta/reptile"
CANDIDATES = "learning_rate"
NETWORK = True
METHOD = Gradient(start=pretrained_start, rate=full_rate, precision=no_pull, path="dual", learned_encoder=True)

"""Random initial weights, everything trained: what pre-training has to beat."""

from scarceseq.fewshot.engine.starts import random_start
from scarceseq.fewshot.method import FineTuning

METHOD = FineTuning(start=random_start)

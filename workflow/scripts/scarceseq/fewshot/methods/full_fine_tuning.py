"""Pre-trained weights, everything trained."""

from scarceseq.fewshot.method import Gradient
from scarceseq.fewshot.rates import full_rate, no_pull, pretrained_start

METHOD = Gradient(start=pretrained_start, rate=full_rate, precision=no_pull)

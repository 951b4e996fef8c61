"""Control of the global guide: its mean as the one rate of the whole encoder, that is a lower learning rate."""

from scarceseq.fewshot.method import Gradient
from scarceseq.fewshot.rates import mean_rate, no_pull, pretrained_start

METHOD = Gradient(guide="global", start=pretrained_start, rate=mean_rate, precision=no_pull)

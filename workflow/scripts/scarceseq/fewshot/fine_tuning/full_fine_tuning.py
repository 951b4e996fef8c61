"""Pre-trained weights, everything trained."""

from scarceseq.fewshot.method import FineTuning

METHOD = FineTuning()

"""Head alone for half of the steps, then everything from there (Kumar et al. 2022, LP-FT)."""

from scarceseq.fewshot.method import FineTuning

METHOD = FineTuning(probe_share=0.5)

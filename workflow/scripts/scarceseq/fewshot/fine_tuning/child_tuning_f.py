"""Each step updates a random 30 % of the encoder's weights (Xu et al. 2021)."""

from scarceseq.fewshot.method import FineTuning

METHOD = FineTuning(kept_share=0.3)

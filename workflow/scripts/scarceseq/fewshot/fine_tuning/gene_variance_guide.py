"""Control of guides, without scouts: genes that vary more in the corpus move more; all else moves freely."""

from scarceseq.fewshot.engine.rates import gene_variance_rate
from scarceseq.fewshot.method import FineTuning

METHOD = FineTuning(rate=gene_variance_rate)

"""Control of a guide: each gene's values shuffled among the units that it leads into."""

from scarceseq.fewshot.engine.rates import permuted_within_gene_rate
from scarceseq.fewshot.method import FineTuning

GUIDED = True
METHOD = FineTuning(rate=permuted_within_gene_rate)

"""Hybrid: the first round covers the graph, by usage-weighted reach; the further ones go where the model is poor."""

from scarceseq.selection.selectors import lcmd

NEEDS = ("graph",)
START = "reach@usage"

rank = lcmd.rank

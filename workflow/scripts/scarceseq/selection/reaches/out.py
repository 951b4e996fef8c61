"""GraphReach along the edges: not where gradients go, but what a gene points at."""

from scarceseq.selection.reach import Reach


def reach(hops: int) -> Reach:
    """Greedy cover of the nodes that edges lead to, every node worth one."""
    return Reach(hops, direction="out")

"""GraphReach that never saturates: usage-weighted, each further time that a node is reached counts half."""

from scarceseq.selection.reach import Reach


def reach(hops: int) -> Reach:
    """Greedy cover with diminishing returns; a gain is the usage added."""
    return Reach(hops, ground="candidates", usage=True, halving=True)

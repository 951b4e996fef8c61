"""GraphReach, soft: usage-weighted, one step further, and what is further away counts half."""

from scarceseq.selection.reach import Reach


def reach(hops: int) -> Reach:
    """Greedy cover in which each node counts by the nearest of the chosen; a gain is the usage added."""
    return Reach(hops + 1, ground="candidates", usage=True, decay=0.5)

"""GraphReach, usage-weighted: nodes count by how much the pool's own predictions lean on them."""

from scarceseq.selection.reach import Reach


def reach(hops: int) -> Reach:
    """Greedy cover with usage weights; a gain is the usage newly reached."""
    return Reach(hops, ground="candidates", usage=True)

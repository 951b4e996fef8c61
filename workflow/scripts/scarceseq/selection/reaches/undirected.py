"""GraphReach without directions: nodes that an edge links either way."""

from scarceseq.selection.reach import Reach


def reach(hops: int) -> Reach:
    """Greedy cover of neighbours in either direction, every node worth one."""
    return Reach(hops, direction="undirected")

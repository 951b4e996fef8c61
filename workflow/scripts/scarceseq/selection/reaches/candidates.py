"""GraphReach over the pool: only nodes that are themselves in the pool count."""

from scarceseq.selection.reach import Reach


def reach(hops: int) -> Reach:
    """Greedy cover of the pool; a gain is the number of its genes newly reached."""
    return Reach(hops, ground="candidates")

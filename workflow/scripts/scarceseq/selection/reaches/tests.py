"""GraphReach for given targets: nodes count by how much the predictions of the test genes lean on them."""

from scarceseq.selection.reach import Reach

NAMES_USED = "tests"


def reach(hops: int) -> Reach:
    """Greedy cover with the usage of the test genes, whose names alone are looked at."""
    return Reach(hops, ground="tests", usage=True)

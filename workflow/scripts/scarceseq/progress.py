"""A line in the log from time to time, so that a long job can be followed on a terminal and in a cluster's log file."""

import logging
import time

logger = logging.getLogger(__name__)

EVERY_SECONDS = 30.0


def follow(items, what):
    """Yield the items; log every half a minute how many are done and how long the others may take.

    Parameters
    ----------
    items : iterable
        Finite; taken whole at the start.
    what : str
        What they are, in the plural.
    """
    items = list(items)
    start = last = time.monotonic()
    for done, item in enumerate(items):
        now = time.monotonic()
        if done and now - last >= EVERY_SECONDS:
            last, left = now, (now - start) / done * (len(items) - done)
            logger.info("%d of %d %s, about %.0f s left", done, len(items), what, left)
        yield item

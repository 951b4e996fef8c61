"""A line in the log from time to time, so that a long job can be followed on a terminal and in a cluster's log file."""

import logging
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

logger = logging.getLogger(__name__)
T = TypeVar("T")

ITEMS_EVERY_SECONDS = 30.0
STEPS_EVERY_SECONDS = 3.0


def follow(items: Iterable[T], what: str) -> Iterator[T]:
    """Yield the items; log every half a minute how many are done and how long the others may take.

    They are taken whole at the start; `what` they are is in the plural.
    """
    items = list(items)
    start = last = time.monotonic()
    for done, item in enumerate(items):
        now = time.monotonic()
        if done and now - last >= ITEMS_EVERY_SECONDS:
            last, left = now, (now - start) / done * (len(items) - done)
            logger.info("%d of %d %s, about %.0f s left", done, len(items), what, left)
        yield item


class StepProgress:
    """The same for a network that trains, every few seconds: step, loss, samples per second, time left.

    `step` is how many steps are done already, `batch_samples` how many samples each takes.
    """

    def __init__(self, step: int, steps: int, batch_samples: int) -> None:
        self.first, self.steps, self.batch_samples = step, steps, batch_samples
        self.start = self.last = time.monotonic()

    def report(self, step: int, loss: float) -> None:
        """Log if the last line is old enough or the run is over; `step` steps are done."""
        now = time.monotonic()
        if now - self.last < STEPS_EVERY_SECONDS and step < self.steps:
            return
        self.last, elapsed = now, max(now - self.start, 1e-9)
        left = elapsed / (step - self.first) * (self.steps - step)
        rate = (step - self.first) * self.batch_samples / elapsed
        logger.info("step %d/%d  loss %.4f  %.0f samples/s  %.0f s left", step, self.steps, loss, rate, left)

"""What is said while a network trains."""

import logging
import time

logger = logging.getLogger(__name__)

EVERY_SECONDS = 3.0


class Progress:
    """A line in the log every few seconds: step, loss, samples per second, time left.

    Parameters
    ----------
    step, steps : int
        Steps done already, and in all.
    batch_samples : int
        Samples of a step.
    """

    def __init__(self, step, steps, batch_samples):
        self.first, self.steps, self.batch_samples = step, steps, batch_samples
        self.start = self.last = time.monotonic()

    def report(self, step, loss):
        """Log if the last line is old enough or the run is over; `step` steps are done."""
        now = time.monotonic()
        if now - self.last < EVERY_SECONDS and step < self.steps:
            return
        self.last, elapsed = now, max(now - self.start, 1e-9)
        left = elapsed / (step - self.first) * (self.steps - step)
        rate = (step - self.first) * self.batch_samples / elapsed
        logger.info("step %d/%d  loss %.4f  %.0f samples/s  %.0f s left", step, self.steps, loss, rate, left)

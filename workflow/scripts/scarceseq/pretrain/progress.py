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
    """

    def __init__(self, step, steps):
        self.first, self.steps = step, steps
        self.start = self.last = time.monotonic()
        self.samples = 0

    def report(self, step, samples, loss):
        """Count `samples` and log if the last line is old enough or the run is over."""
        self.samples += samples
        now = time.monotonic()
        if now - self.last < EVERY_SECONDS and step < self.steps:
            return
        self.last, elapsed = now, max(now - self.start, 1e-9)
        left = elapsed / (step - self.first) * (self.steps - step)
        rate = self.samples / elapsed
        logger.info("step %d/%d  loss %.4f  %.0f samples/s  %.0f s left", step, self.steps, loss, rate, left)

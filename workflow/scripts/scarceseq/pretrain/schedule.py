"""Learning rate by step."""

import math


def rate_factor(step, settings):
    """Learning rate after `step` steps as a share of the highest: linear warm-up, then half a cosine towards 0."""
    if step < settings.warm_up_steps:
        return (step + 1) / settings.warm_up_steps
    remaining = max(settings.steps - settings.warm_up_steps, 1)
    return 0.5 * (1 + math.cos(math.pi * min((step - settings.warm_up_steps) / remaining, 1.0)))

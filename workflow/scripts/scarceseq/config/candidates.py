"""What a method tries on the validation episodes, as the config says it; imports nothing of the package."""

from collections.abc import Mapping
from typing import Any

# Hyper-parameters that are tried with each number of steps.
LEARNING_RATES = ("learning_rate", "adaptive_learning_rate")


def candidates(fitting: Mapping[str, Any], key: str) -> list[list[float]]:
    """[value, steps] of each candidate that methods tuned by the hyper-parameter `key` try.

    `fitting` is the section of that name; its first steps go with the first value to the first candidate.
    """
    all_steps = fitting["steps"] if key in LEARNING_RATES else [0]
    return [[value, steps] for value in fitting["candidates"][key] for steps in all_steps]

"""Scouts that learn a random subset of the classes of a label, whatever study a sample is from."""

import itertools
import logging
import math
from collections.abc import Sequence

import numpy as np

from scarceseq.errors import InputError
from scarceseq.guide.plan import Candidates
from scarceseq.guide.settings import SchemeSettings
from scarceseq.seeds import derive

logger = logging.getLogger(__name__)


def draw_tasks(candidates: Candidates, settings: SchemeSettings, seed: int) -> list[list[np.ndarray]]:
    """Distinct subsets of ``classes_per_scout`` classes, in random order, each with all samples of its classes.

    There are fewer than ``scouts`` if there are not so many subsets; studies are not used. Reads ``label``,
    ``classes_per_scout``, ``minimum_class_samples``, ``scouts``. Raises InputError if there is no label, or fewer
    classes than a scout needs.
    """
    if not settings.label:
        raise InputError("guide scheme label_subsets: it needs the key `label`, an attribute of the samples")
    least, size = settings.minimum_class_samples, settings.classes_per_scout
    names, counts = np.unique(candidates.labels[candidates.labels != ""], return_counts=True)
    usable = names[counts >= least].tolist()
    if len(usable) < size:
        raise InputError(
            f"guide scheme label_subsets: '{settings.label}' has {len(usable)} classes of at least {least} samples "
            f"in the scouts' studies; {size} are needed: lower classes_per_scout or minimum_class_samples"
        )
    subsets = _draw_subsets(usable, size, settings.scouts, np.random.default_rng(derive(seed, "subsets")))
    logger.info("%d classes of at least %d samples, %d subsets drawn", len(usable), least, len(subsets))
    if len(subsets) < settings.scouts:
        logger.warning("%d scouts were asked for, there are %d subsets of classes", settings.scouts, len(subsets))
    return [[np.flatnonzero(candidates.labels == name) for name in subset] for subset in subsets]


def _draw_subsets(
    names: Sequence[str], size: int, wanted: int, generator: np.random.Generator
) -> list[tuple[str, ...]]:
    """Distinct subsets in random order: all of them if they are few, else drawn until there are enough."""
    if math.comb(len(names), size) <= 10 * wanted:
        every = list(itertools.combinations(names, size))
        return [every[index] for index in generator.permutation(len(every))[:wanted]]
    subsets = {}
    while len(subsets) < wanted:
        subsets[tuple(sorted(generator.choice(names, size, replace=False).tolist()))] = None
    return list(subsets)

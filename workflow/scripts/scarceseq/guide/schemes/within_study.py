"""Scouts that tell two classes of one study apart, such as treated and control: batches do not differ between them."""

import itertools
import logging

import numpy as np

from scarceseq.errors import InputError
from scarceseq.guide.plan import Candidates
from scarceseq.guide.settings import SchemeSettings
from scarceseq.seeds import derive

logger = logging.getLogger(__name__)


def draw_tasks(candidates: Candidates, settings: SchemeSettings, seed: int) -> list[list[np.ndarray]]:
    """Distinct (study, pair of its classes), in random order, each with all samples of the two classes in that study.

    There are fewer than ``scouts`` if there are not so many contrasts. Reads ``label``, ``minimum_class_samples``,
    ``scouts``. Raises InputError if there is no label, or no study has two classes with enough samples.
    """
    if not settings.label:
        raise InputError("guide scheme within_study: it needs the key `label`, an attribute of the samples")
    least, contrasts = settings.minimum_class_samples, []
    for study in np.unique(candidates.studies):
        names, counts = np.unique(candidates.labels[candidates.studies == study], return_counts=True)
        usable = [name for name, count in zip(names, counts, strict=True) if name and count >= least]
        contrasts += [(study, pair) for pair in itertools.combinations(usable, 2)]
    if not contrasts:
        raise InputError(
            f"guide scheme within_study: none of the scouts' studies has two classes of '{settings.label}' with at "
            f"least {least} samples each; give more studies a scout role or lower minimum_class_samples"
        )
    order = np.random.default_rng(derive(seed, "contrasts")).permutation(len(contrasts))[: settings.scouts]
    logger.info("%d contrasts in %d studies", len(contrasts), len({study for study, _ in contrasts}))
    if len(order) < settings.scouts:
        logger.warning("%d scouts were asked for, there are %d contrasts", settings.scouts, len(order))
    return [
        [np.flatnonzero((candidates.studies == study) & (candidates.labels == name)) for name in pair]
        for study, pair in (contrasts[index] for index in order)
    ]

"""SimpleShot: nearest class mean of features brought to length 1 (Wang et al. 2019)."""

import numpy as np

from scarceseq.fewshot.numerics import class_means, softmax, squared_distances, unit_length, within_sample_ranks

CANDIDATES = "feature_transform"


def probabilities(
    support: np.ndarray, support_classes: np.ndarray, query: np.ndarray, candidate: str, seed: int
) -> np.ndarray:
    """The candidate names what is done to the features first; probabilities are softmax(-squared distance / 2).

    ``centred_unit_length`` subtracts the support's mean and brings to length 1, ``unit_length`` does the latter,
    ``unchanged`` nothing; with ``ranks_`` before it, the ranks of each sample's features take the features' place.
    """
    transform = candidate.removeprefix("ranks_")
    if transform != candidate:
        support, query = within_sample_ranks(support), within_sample_ranks(query)
    if transform == "centred_unit_length":
        centre = support.mean(axis=0)
        support, query = support - centre, query - centre
    if transform != "unchanged":
        support, query = unit_length(support), unit_length(query)
    return softmax(-squared_distances(query, class_means(support, support_classes)) / 2)

"""Scores on the leading principal components of what varies within the pretrain and scout studies."""

import numpy as np

from scarceseq.fewshot.features.logs import prepare as prepare_logs
from scarceseq.fewshot.method import Source, Transform
from scarceseq.fewshot.numerics import from_group_means

NEEDS = ("reference",)


def prepare(source: Source) -> Transform:
    """Fit ``settings.pca_components`` on the reference's logarithms minus their study's mean; scores keep their units.

    Differences between studies, technical for the most part, are then no component.
    """
    from sklearn.decomposition import PCA

    logs = prepare_logs(source)
    within = from_group_means(logs(source.reference), source.studies)
    most = min(len(within) - len(np.unique(source.studies)), within.shape[1])
    count = max(min(source.settings.pca_components, most), 1)
    analysis = PCA(n_components=count, svd_solver="randomized", random_state=source.seed % 2**32).fit(within)
    return lambda expression: analysis.transform(logs(expression))

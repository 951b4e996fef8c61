"""Features and classifiers of the methods that are not trained by gradient."""

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression


def principal_components(base, reference, settings, seed):
    """Scores on the leading principal components of the reference, scaled to unit variance on the reference.

    Parameters
    ----------
    base : Base
        Not used.
    reference : array, (samples, genes)
        z-scores of samples of the pretrain and scout studies.
    settings : FittingSettings
    seed : int
        Of the randomised decomposition.
    """
    count = min(settings.pca_components, min(reference.shape) - 1)
    analysis = PCA(n_components=count, whiten=True, svd_solver="randomized", random_state=seed % 2**32)
    analysis.fit(reference.astype(np.float64))
    return lambda expression: analysis.transform(expression.astype(np.float64))


def embedding(base, reference, settings, seed):
    """Embedding of the base's encoder."""

    def transform(expression):
        with torch.no_grad():
            return base.network.embed(torch.from_numpy(expression).to(base.mean.device)).double().cpu().numpy()

    return transform


def expression_itself(base, reference, settings, seed):
    """z-scores as they are, float64."""
    return lambda expression: expression.astype(np.float64)


def logistic(support, support_classes, query, candidate):
    """Class probabilities of multinomial logistic regression with a squared penalty.

    Parameters
    ----------
    support, query : array, (samples, features)
    support_classes : array of int, (samples,)
        0 to classes - 1, each present.
    candidate : float
        Inverse of the penalty's strength.
    """
    model = LogisticRegression(C=candidate, max_iter=2000).fit(support, support_classes)
    return model.predict_proba(query)


def shrunken_centroids(support, support_classes, query, candidate):
    """Class probabilities from the distances to shrunken class means.

    Each class mean's difference to the mean of class means is soft-thresholded gene by gene (after nearest shrunken
    centroids, Tibshirani et al. 2002, with the corpus' standard deviation in place of the pooled one, which one sample
    per class does not give). Probabilities are softmax(-mean squared distance / 2); their scale is a convention.

    Parameters
    ----------
    support, query : array, (samples, genes)
        z-scores.
    support_classes : array of int, (samples,)
    candidate : float
        Threshold, in standard deviations of the corpus.
    """
    means = np.stack([support[support_classes == c].mean(axis=0) for c in range(support_classes.max() + 1)])
    centre = means.mean(axis=0)
    offsets = means - centre
    centroids = centre + np.sign(offsets) * np.maximum(np.abs(offsets) - candidate, 0.0)
    distance = ((query[:, None, :] - centroids[None]) ** 2).mean(axis=2)
    logits = -distance / 2
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)

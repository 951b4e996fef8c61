"""What methods that are not trained by gradient see: functions from z-scores, (samples, genes), to features."""

import numpy as np
import torch


def expression_itself(base, reference, settings, seed):
    """z-scores as they are."""
    return lambda expression: expression.astype(np.float64)


def ranks(base, reference, settings, seed):
    """Ranks of each sample's z-scores among its genes, from -1 to 1: what any monotone change of a sample leaves."""
    return within_sample_ranks


def within_sample_ranks(features):
    """Ranks of features within each sample, evenly from -1 to 1; equal features share the mean of theirs.

    Parameters
    ----------
    features : array, (samples, features)
    """
    from scipy.stats import rankdata

    return 2 * (rankdata(features, axis=1) - 1) / max(features.shape[1] - 1, 1) - 1


def by_corpus_variance(base, reference, settings, seed):
    """Each gene times its standard deviation in what the base was fitted on, whose mean square is 1.

    A squared penalty on these features is a prior on the weights of z-scores whose variance is the gene's.
    """
    scale = base.scale.double().cpu().numpy()
    scale /= np.sqrt(np.square(scale).mean())
    return lambda expression: expression * scale


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
    from sklearn.decomposition import PCA

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

"""From a method that is not trained by gradient to a function that fits it to episodes and predicts their queries."""

from scarceseq.seeds import derive


def estimator_predictor(method, corpus, splits, base, guide, settings, seed):
    """Function (episodes, candidates) -> probabilities, (queries, classes), of each episode, for each candidate."""
    reference = corpus.reference(splits) if method.reference else None
    features = method.prepare(base, reference, settings, derive(seed, "features"))

    def probabilities(episode, support, query, candidate):
        fit_seed = derive(episode.seed, "estimator")
        return method.probabilities(support, episode.support_classes, query, candidate, fit_seed)

    def predict(episodes, candidates):
        pairs = [(episode, features(episode.support), features(episode.query)) for episode in episodes]
        return [[probabilities(*pair, candidate) for pair in pairs] for candidate in candidates]

    return predict

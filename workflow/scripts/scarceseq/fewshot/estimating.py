"""From a method that is not trained by gradient to a function that fits it to episodes and predicts their queries."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from scarceseq.fewshot.method import Source
from scarceseq.seeds import derive

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from scarceseq.fewshot.corpus import Corpus, Episode
    from scarceseq.fewshot.method import Candidate, Estimator
    from scarceseq.fewshot.settings import FittingSettings
    from scarceseq.pretrain.model import Base


def estimator_predictor(
    method: "Estimator",
    corpus: "Corpus",
    splits: "pd.DataFrame",
    base: "Base",
    guide: Any,
    settings: "FittingSettings",
    seed: int,
) -> "Callable[..., list[list[np.ndarray]]]":
    """Function (episodes, candidates) -> probabilities, (queries, classes), of each episode, for each candidate."""
    key = method.prepare, settings.pca_components, seed, id(base)
    if key not in corpus.features:  # methods that see the same features share them
        source = Source(base, None, settings, derive(seed, "features"))
        if method.reference:
            reference = corpus.reference(splits, settings.reference_samples, seed)
            origin = corpus.reference_origin()
            source = replace(source, reference=reference, studies=origin["studies"], labels=origin["labels"])
        corpus.features[key] = method.prepare(source)
    features = corpus.features[key]

    def probabilities(
        episode: "Episode", support: "np.ndarray", query: "np.ndarray", candidate: "Candidate"
    ) -> "np.ndarray":
        fit_seed = derive(episode.seed, "estimator")
        return method.probabilities(support, episode.support_classes, query, candidate.value, fit_seed)

    def predict(episodes: "Sequence[Episode]", candidates: "list[Candidate]") -> "list[list[np.ndarray]]":
        found = []
        for episode in episodes:
            support, query = features(episode.support), features(episode.query)
            found.append([probabilities(episode, support, query, candidate) for candidate in candidates])
        return [list(part) for part in zip(*found, strict=True)] or [[] for _ in candidates]

    return predict

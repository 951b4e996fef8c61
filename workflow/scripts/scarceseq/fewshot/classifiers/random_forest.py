"""Random forest of 50 trees."""

import numpy as np

CANDIDATES = "forest_feature_share"
TREES = 50


def probabilities(
    support: np.ndarray, support_classes: np.ndarray, query: np.ndarray, candidate: float, seed: int
) -> np.ndarray:
    """The candidate is the share of the features that each division may choose from."""
    from sklearn.ensemble import RandomForestClassifier

    model = RandomForestClassifier(TREES, max_features=candidate, random_state=seed % 2**32)
    return model.fit(support, support_classes).predict_proba(query)

"""Nearest class mean of corpus principal components, the means shrunk towards each other by a tuned threshold."""

from scarceseq.fewshot.classifiers import nearest_centroid
from scarceseq.fewshot.features import principal_components
from scarceseq.fewshot.method import Estimator

GUIDE = None
CANDIDATES = "centroid_threshold"
NETWORK = False
METHOD = Estimator(prepare=principal_components, probabilities=nearest_centroid, reference=True)

"""Nearest class mean of the frozen encoder's embedding, the means shrunk towards each other by a tuned threshold."""

from scarceseq.fewshot.classifiers import nearest_centroid
from scarceseq.fewshot.features import embedding
from scarceseq.fewshot.method import Estimator

GUIDE = None
CANDIDATES = "centroid_threshold"
NETWORK = True
METHOD = Estimator(prepare=embedding, probabilities=nearest_centroid)

"""Nearest class mean of z-scored expression, the means shrunk towards each other by a tuned threshold."""

from scarceseq.fewshot.classifiers import nearest_centroid
from scarceseq.fewshot.features import expression_itself
from scarceseq.fewshot.method import Estimator

GUIDE = None
CANDIDATES = "centroid_threshold"
NETWORK = False
METHOD = Estimator(prepare=expression_itself, probabilities=nearest_centroid)

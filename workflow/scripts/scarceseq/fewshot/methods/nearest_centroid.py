"""Nearest class mean of z-scored expression, the means shrunk towards each other by a tuned threshold."""

from scarceseq.fewshot.estimators import expression_itself, shrunken_centroids
from scarceseq.fewshot.method import Estimator

METHOD = Estimator(
    prepare=expression_itself, probabilities=shrunken_centroids, candidates="centroid_threshold", guide=None
)

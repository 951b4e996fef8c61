"""Diagonal linear discriminant analysis on the frozen encoder's embedding."""

from scarceseq.fewshot.classifiers import diagonal_discriminant
from scarceseq.fewshot.features import embedding
from scarceseq.fewshot.method import Estimator

GUIDE = None
CANDIDATES = "variance_shrinkage"
NETWORK = True
METHOD = Estimator(prepare=embedding, probabilities=diagonal_discriminant)

"""Diagonal linear discriminant analysis on z-scored expression."""

from scarceseq.fewshot.classifiers import diagonal_discriminant
from scarceseq.fewshot.features import expression_itself
from scarceseq.fewshot.method import Estimator

GUIDE = None
CANDIDATES = "variance_shrinkage"
NETWORK = False
METHOD = Estimator(prepare=expression_itself, probabilities=diagonal_discriminant)

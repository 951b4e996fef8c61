"""Nearest neighbours by cosine in z-scored expression."""

from scarceseq.fewshot.classifiers import nearest_neighbours
from scarceseq.fewshot.features import expression_itself
from scarceseq.fewshot.method import Estimator

GUIDE = None
CANDIDATES = "neighbours"
NETWORK = False
METHOD = Estimator(prepare=expression_itself, probabilities=nearest_neighbours)

"""Nearest neighbours by cosine in the frozen encoder's embedding."""

from scarceseq.fewshot.classifiers import nearest_neighbours
from scarceseq.fewshot.features import embedding
from scarceseq.fewshot.method import Estimator

GUIDE = None
CANDIDATES = "neighbours"
NETWORK = True
METHOD = Estimator(prepare=embedding, probabilities=nearest_neighbours)

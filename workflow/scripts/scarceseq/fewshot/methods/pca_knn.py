"""Nearest neighbours by cosine in principal components of the pretrain and scout studies."""

from scarceseq.fewshot.classifiers import nearest_neighbours
from scarceseq.fewshot.features import principal_components
from scarceseq.fewshot.method import Estimator

GUIDE = None
CANDIDATES = "neighbours"
NETWORK = False
METHOD = Estimator(prepare=principal_components, probabilities=nearest_neighbours, reference=True)

"""Logistic regression on the ranks of each sample's genes."""

from scarceseq.fewshot.classifiers import logistic
from scarceseq.fewshot.features import ranks
from scarceseq.fewshot.method import Estimator

GUIDE = None
CANDIDATES = "inverse_penalty"
NETWORK = False
METHOD = Estimator(prepare=ranks, probabilities=logistic)

"""Logistic regression on z-scored expression."""

from scarceseq.fewshot.classifiers import logistic
from scarceseq.fewshot.features import expression_itself
from scarceseq.fewshot.method import Estimator

GUIDE = None
CANDIDATES = "inverse_penalty"
NETWORK = False
METHOD = Estimator(prepare=expression_itself, probabilities=logistic)

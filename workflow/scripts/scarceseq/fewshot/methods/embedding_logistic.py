"""Logistic regression on the frozen encoder's embedding."""

from scarceseq.fewshot.classifiers import logistic
from scarceseq.fewshot.features import embedding
from scarceseq.fewshot.method import Estimator

GUIDE = None
CANDIDATES = "inverse_penalty"
NETWORK = True
METHOD = Estimator(prepare=embedding, probabilities=logistic)

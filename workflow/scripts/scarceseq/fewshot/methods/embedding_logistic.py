"""Logistic regression on the frozen encoder's embedding."""

from scarceseq.fewshot.estimators import embedding, logistic
from scarceseq.fewshot.method import Estimator

METHOD = Estimator(prepare=embedding, probabilities=logistic, candidates="inverse_penalty", guide=None)

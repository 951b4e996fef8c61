"""Logistic regression on principal components of the pretrain and scout studies."""

from scarceseq.fewshot.estimators import logistic, principal_components
from scarceseq.fewshot.method import Estimator

METHOD = Estimator(
    prepare=principal_components, probabilities=logistic, candidates="inverse_penalty", reference=True, guide=None
)

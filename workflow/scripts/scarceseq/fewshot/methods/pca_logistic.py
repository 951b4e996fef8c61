"""Logistic regression on principal components of the pretrain and scout studies."""

from scarceseq.fewshot.classifiers import logistic
from scarceseq.fewshot.features import principal_components
from scarceseq.fewshot.method import Estimator

GUIDE = None
CANDIDATES = "inverse_penalty"
NETWORK = False
METHOD = Estimator(prepare=principal_components, probabilities=logistic, reference=True)

"""Logistic regression with an elastic-net penalty on principal components of the pretrain and scout studies."""

from scarceseq.fewshot.classifiers import elastic_net
from scarceseq.fewshot.features import principal_components
from scarceseq.fewshot.method import Estimator

GUIDE = None
CANDIDATES = "elastic_net_inverse_penalty"
NETWORK = False
METHOD = Estimator(prepare=principal_components, probabilities=elastic_net, reference=True)

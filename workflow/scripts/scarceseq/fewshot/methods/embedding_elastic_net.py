"""Logistic regression with an elastic-net penalty on the frozen encoder's embedding."""

from scarceseq.fewshot.classifiers import elastic_net
from scarceseq.fewshot.features import embedding
from scarceseq.fewshot.method import Estimator

GUIDE = None
CANDIDATES = "elastic_net_inverse_penalty"
NETWORK = True
METHOD = Estimator(prepare=embedding, probabilities=elastic_net)

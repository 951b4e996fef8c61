"""Logistic regression with an elastic-net penalty on z-scored expression."""

from scarceseq.fewshot.classifiers import elastic_net
from scarceseq.fewshot.features import expression_itself
from scarceseq.fewshot.method import Estimator

GUIDE = None
CANDIDATES = "elastic_net_inverse_penalty"
NETWORK = False
METHOD = Estimator(prepare=expression_itself, probabilities=elastic_net)

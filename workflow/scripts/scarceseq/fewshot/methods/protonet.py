"""Nearest class mean in the embedding of ProtoNet's encoder, which was learned on the scouts' tasks."""

from scarceseq.fewshot.classifiers import simpleshot
from scarceseq.fewshot.features import embedding
from scarceseq.fewshot.method import Estimator

GUIDE = "meta/protonet"
CANDIDATES = "feature_transform"
NETWORK = True
METHOD = Estimator(prepare=embedding, probabilities=simpleshot, learned_encoder=True)

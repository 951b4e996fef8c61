"""Random forest on the frozen encoder's embedding."""

from scarceseq.fewshot.classifiers import random_forest
from scarceseq.fewshot.features import embedding
from scarceseq.fewshot.method import Estimator

GUIDE = None
CANDIDATES = "forest_feature_share"
NETWORK = True
METHOD = Estimator(prepare=embedding, probabilities=random_forest)

"""Random forest on z-scored expression."""

from scarceseq.fewshot.classifiers import random_forest
from scarceseq.fewshot.features import expression_itself
from scarceseq.fewshot.method import Estimator

GUIDE = None
CANDIDATES = "forest_feature_share"
NETWORK = False
METHOD = Estimator(prepare=expression_itself, probabilities=random_forest)

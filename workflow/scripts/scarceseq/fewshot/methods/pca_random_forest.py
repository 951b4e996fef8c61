"""Random forest on principal components of the pretrain and scout studies."""

from scarceseq.fewshot.classifiers import random_forest
from scarceseq.fewshot.features import principal_components
from scarceseq.fewshot.method import Estimator

GUIDE = None
CANDIDATES = "forest_feature_share"
NETWORK = False
METHOD = Estimator(prepare=principal_components, probabilities=random_forest, reference=True)

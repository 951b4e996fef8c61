"""SimpleShot, nearest mean of centred features of unit length, on principal components of the corpus."""

from scarceseq.fewshot.classifiers import simpleshot
from scarceseq.fewshot.features import principal_components
from scarceseq.fewshot.method import Estimator

GUIDE = None
CANDIDATES = "feature_transform"
NETWORK = False
METHOD = Estimator(prepare=principal_components, probabilities=simpleshot, reference=True)

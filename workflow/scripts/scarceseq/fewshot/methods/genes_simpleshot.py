"""SimpleShot, nearest mean of centred features of unit length, on z-scored expression."""

from scarceseq.fewshot.classifiers import simpleshot
from scarceseq.fewshot.features import expression_itself
from scarceseq.fewshot.method import Estimator

GUIDE = None
CANDIDATES = "feature_transform"
NETWORK = False
METHOD = Estimator(prepare=expression_itself, probabilities=simpleshot)

"""SimpleShot, nearest mean of centred features of unit length, on the frozen encoder's embedding."""

from scarceseq.fewshot.classifiers import simpleshot
from scarceseq.fewshot.features import embedding
from scarceseq.fewshot.method import Estimator

GUIDE = None
CANDIDATES = "feature_transform"
NETWORK = True
METHOD = Estimator(prepare=embedding, probabilities=simpleshot)

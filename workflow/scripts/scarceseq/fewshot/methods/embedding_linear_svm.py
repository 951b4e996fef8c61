"""Linear support vector machine on the frozen encoder's embedding."""

from scarceseq.fewshot.classifiers import linear_svm
from scarceseq.fewshot.features import embedding
from scarceseq.fewshot.method import Estimator

GUIDE = None
CANDIDATES = "svm_inverse_penalty"
NETWORK = True
METHOD = Estimator(prepare=embedding, probabilities=linear_svm)

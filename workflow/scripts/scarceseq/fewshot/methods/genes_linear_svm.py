"""Linear support vector machine on z-scored expression."""

from scarceseq.fewshot.classifiers import linear_svm
from scarceseq.fewshot.features import expression_itself
from scarceseq.fewshot.method import Estimator

GUIDE = None
CANDIDATES = "svm_inverse_penalty"
NETWORK = False
METHOD = Estimator(prepare=expression_itself, probabilities=linear_svm)

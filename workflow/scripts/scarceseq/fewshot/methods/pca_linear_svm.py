"""Linear support vector machine on principal components of the pretrain and scout studies."""

from scarceseq.fewshot.classifiers import linear_svm
from scarceseq.fewshot.features import principal_components
from scarceseq.fewshot.method import Estimator

GUIDE = None
CANDIDATES = "svm_inverse_penalty"
NETWORK = False
METHOD = Estimator(prepare=principal_components, probabilities=linear_svm, reference=True)

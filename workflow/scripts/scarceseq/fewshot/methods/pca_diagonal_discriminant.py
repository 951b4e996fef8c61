"""Diagonal linear discriminant analysis on principal components of the pretrain and scout studies."""

from scarceseq.fewshot.classifiers import diagonal_discriminant
from scarceseq.fewshot.features import principal_components
from scarceseq.fewshot.method import Estimator

GUIDE = None
CANDIDATES = "variance_shrinkage"
NETWORK = False
METHOD = Estimator(prepare=principal_components, probabilities=diagonal_discriminant, reference=True)

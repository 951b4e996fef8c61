"""Logistic regression on z-scored expression with a prior from the corpus: weights vary as much as their genes do."""

from scarceseq.fewshot.classifiers import logistic
from scarceseq.fewshot.features import by_corpus_variance
from scarceseq.fewshot.method import Estimator

GUIDE = None
CANDIDATES = "inverse_penalty"
NETWORK = False
METHOD = Estimator(prepare=by_corpus_variance, probabilities=logistic)

"""Classifiers that are not trained by gradient, one file each, found by name.

An entry exposes what `scarceseq.fewshot.method.Classifier` says: ``CANDIDATES``, a literal that the planner reads
without importing the entry, and ``probabilities``. scikit-learn is imported by the functions that use it.
"""

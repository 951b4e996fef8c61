"""Predictors, one module each, found by name; what an entry exposes says `scarceseq.perturbation.predictor`."""

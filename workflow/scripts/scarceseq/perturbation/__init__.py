"""Predicting the effect of unseen perturbations, and measuring how well."""

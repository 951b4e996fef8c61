"""Inference that every room shares: intervals, tests, power, and one vocabulary of outcomes with one writer."""

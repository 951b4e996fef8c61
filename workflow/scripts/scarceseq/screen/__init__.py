"""Perturbation screens: from single cells or mean profiles to differences to control, with splits by perturbation."""

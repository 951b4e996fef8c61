"""Which genes to perturb in a screen that is still to be run."""

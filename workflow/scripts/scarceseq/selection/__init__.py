"""One-shot selection of perturbations: rank a pool, train on the first few, judge on held-out perturbations."""

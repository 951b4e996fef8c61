"""Predictors, one module each, found by name.

An entry exposes

- ``NEEDS_GRAPH``: whether `prepare` uses the graph;
- ``KINDS``: kinds of screen it is defined for;
- ``prepare(genes, graph) -> features``: what depends on the perturbed genes and the graph alone, computed once per
  screen;
- ``fit(delta, rows, features) -> model``: learn from the training perturbations `rows` (positions in `genes`) with
  their differences to control `delta` (training perturbations x genes or coordinates);
- ``predict(model, rows) -> delta``: predicted differences of the perturbations `rows`.

Whatever is tuned is tuned within the training perturbations.
"""

"""Models that are refitted between the rounds of a selection, one module each, found by name.

An entry exposes

- ``NEEDS``: ``("graph",)`` if it works on the selection graph, else ``()``;
- ``prepare(genes, graph) -> features``: what depends on prior knowledge alone, computed once per screen and graph;
- ``learn(features, genes, pool, measured, delta, seed) -> scarceseq.selection.learned.Learned``: fitted to the measured
  perturbations alone. `genes` are all perturbations of the screen; `pool` the positions of those that may be looked at,
  `measured` positions among the pool, `delta` their profiles.
"""

"""Models that are refitted between the rounds of a selection, one module each, found by name.

An entry exposes

- ``NEEDS``: what it looks at: ``graph``, the selection graph; ``cells``, the screen's single cells;
- ``prepare(prior) -> features``: what depends on prior knowledge alone, computed once per screen and graph; a
  `scarceseq.perturbation.prior.Prior`, as predictors get it, with the selection graph;
- ``learn(features, genes, pool, measured, delta, seed) -> scarceseq.selection.learned.Learned``: fitted to the measured
  perturbations alone. `genes` are all perturbations of the screen; `pool` the positions of those that may be looked at,
  `measured` positions among the pool, `delta` their profiles.
"""

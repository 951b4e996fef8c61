"""Selectors, one module each, found by name.

An entry exposes

- ``NEEDS_GRAPH``: whether it ranks by a graph; one without gets None and runs once, under the graph name ``none``;
- ``DRAWS``: whether it draws at random, and so is run several times per split;
- ``rank(pool, graph, seed, settings) -> (genes, gains)``: the whole pool in the order in which to take it, so that
  every budget is a prefix, with the gain of each gene when it is taken (NaN where a selector has none). The order of
  `pool` has no influence.
"""

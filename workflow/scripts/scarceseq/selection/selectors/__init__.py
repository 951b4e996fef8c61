"""Selectors, one module each, found by name.

An entry exposes

- ``NEEDS``: what it looks at besides names: ``graph``, one selection graph; ``priors``, the screen's prior graphs.
  One that needs no single graph runs once, under the graph name ``none``;
- ``DRAWS``: whether it is nothing but a draw, and so is run several times per split;
- ``ROUNDS``: whether it works on a model of what was measured before, and so in rounds; its first round is then ranked
  by the selector ``START``;
- ``rank(pool, evidence, budget=None, labelled=(), seed=0) -> (genes, gains)``: the first `budget` genes of the pool
  (all of it if None) in the order in which to take them, with the gain of each when taken (NaN where a selector has
  none). In one shot a smaller budget gives the beginning of the same ranking; a batch of a round is chosen as a whole.
  The order of `pool` has no influence. `labelled` are genes measured already, `evidence` a
  `scarceseq.selection.evidence.Evidence`.
"""

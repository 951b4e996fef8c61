"""GEARS (Roohani, Huang & Leskovec 2024, Nature Biotechnology) in plain torch: model, loss, three ways to train.

In GEARS the predicted difference to control depends on what is perturbed, not on the control cell that it is added to.
So a batch is computed once per distinct perturbation, counted as often as it occurs, and what depends on genes alone is
computed once. The modes differ in what a training step sees:

- ``reference``: the semantics of cell-gears 0.1.2. Each perturbed cell is paired with one random control cell, once
  and for all, a control cell with itself; only the first cell of a batch receives information along the co-expression
  graph.
- ``corrected``: every cell against all control cells (of its batch, where batches are known), in closed form; every
  cell receives information along the co-expression graph.
- ``moments``: as ``corrected``, with all cells of a perturbation at once: four moments per gene replace them.
"""

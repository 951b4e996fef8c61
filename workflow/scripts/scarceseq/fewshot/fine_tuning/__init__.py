"""Methods that train the encoder and a head by gradient, one file each, found by name.

An entry exposes what `scarceseq.fewshot.method.Tuning` says: ``METHOD``, a triple of start, rate and pull, and, where
they are needed, the literals ``GUIDED`` and ``OPTIMISER``, which the planner reads without importing torch.
"""

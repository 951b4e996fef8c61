"""Few-shot methods: one file each, found by name.

An entry exposes ``METHOD``, a ``Gradient`` or an ``Estimator`` of `scarceseq.fewshot.method`. ``METHOD.guide`` says
which guide file the method needs and is written as a literal, since the planner reads it without importing torch.
"""

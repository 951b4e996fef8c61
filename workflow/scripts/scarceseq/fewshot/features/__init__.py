"""What methods that are not trained by gradient see of a sample, one file each, found by name.

An entry exposes what `scarceseq.fewshot.method.Features` says: ``NEEDS``, a literal that the planner reads without
importing the entry, and ``prepare``.
"""

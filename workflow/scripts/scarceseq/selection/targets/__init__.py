"""What a choice that knows whom it serves aims at, one file per task; see `Targets` of `scarceseq.selection.kernels`.

Without a variant, ``v_optimal`` and ``herding`` aim at the perturbations that will be predicted, by their names.
"""

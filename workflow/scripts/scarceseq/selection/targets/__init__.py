"""What a choice that knows whom it serves aims at, one file per task.

An entry exposes ``targets(pool, tests)``, the genes whose prediction is to be good, and ``NAMES_USED`` as selectors do.
Without a variant, ``v_optimal`` and ``herding`` aim at the perturbations that will be predicted, by their names.
"""

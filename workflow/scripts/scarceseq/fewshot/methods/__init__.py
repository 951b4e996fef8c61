"""Few-shot methods: one file each, found by name.

An entry exposes ``METHOD``, a ``Gradient`` or an ``Estimator`` of `scarceseq.fewshot.method`, and two literals that the
planner reads without importing torch: ``GUIDE``, the key of the section ``fewshot`` that names a scheme of scouts and
the file of that scheme's guide (``"guide_scheme/per_tensor"``), or None; and ``CANDIDATES``, the key of
``fewshot.fitting.candidates`` whose values are tried.
"""

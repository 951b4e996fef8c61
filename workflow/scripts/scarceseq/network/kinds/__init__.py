"""Kinds of gene graph, one module each, found by the graph's config key ``kind``.

An entry exposes

- ``INPUTS``: names of the input files it reads, keys of the dictionary given to `build`;
- ``KEYS``: config keys it uses besides ``kind`` and ``genes``;
- ``build(settings, inputs) -> (edges, provenance)``: a data frame with the columns source, target (gene symbols) and
  weight (in (0, 1]), and a dictionary of counts worth keeping.
"""

"""Kinds of gene embedding, one module each, found by the embedding's config key ``kind``.

An entry exposes

- ``INPUTS``: names of the input files it reads, keys of the dictionary given to `build`;
- ``KEYS``: config keys it uses besides ``kind``;
- ``build(settings, inputs) -> embedding``: a data frame with gene symbols as index and one column per component.
"""

"""Registry of architectures: one file per entry, found by name.

An entry offers ``build(genes, settings) -> torch.nn.Module``. The module has ``encoder`` (samples x genes, z-scored,
to samples x ``width``), ``decoder`` (samples x ``width`` to samples x genes), the integer ``width``, and
``embed(expression)``, which is the encoder alone; ``forward`` reconstructs. Initial weights come from torch's global
generator, which the caller seeds. `settings` is the base's section of the config; an entry reads its own keys.
"""

"""Registry of architectures: one file per entry, found by name.

An entry offers ``build(mean, scale, settings) -> torch.nn.Module``. `mean` and `scale`, (genes,), are those of the
normalisation: an architecture that wants log2(TPM + 1) back can take them in. The module has ``encoder`` (samples x
genes, z-scored, to samples x ``width``), ``decoder`` (samples x ``width`` to samples x genes), the integer ``width``,
and ``embed(expression)``, which is the encoder alone. ``outputs(expression, mask, reconstruct=True)`` gives the
embedding and, if asked for, the reconstruction of expression of which it must not see what is under the mask (else
None), ``forward(expression, mask)`` the reconstruction; parameters outside ``encoder`` serve the reconstruction alone.
``gene_vectors()`` gives a learned
vector for each gene, (genes, any width), trained whatever the objectives are. Initial weights come from torch's global
generator, which the caller seeds. `settings` is the base's section of the config; an entry reads its own keys.
"""

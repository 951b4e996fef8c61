"""Kinds of gene graph, one module each; `scarceseq.network.kind.Kind` says what an entry exposes."""

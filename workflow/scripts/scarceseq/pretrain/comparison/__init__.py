"""How well embeddings tell what samples are, beside simpler features."""

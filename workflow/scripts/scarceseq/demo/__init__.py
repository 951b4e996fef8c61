"""Demo: a small world with known truth (archive, screen and annotation out of one latent model)."""

"""Guides: which weights of a base model move when it learns small tasks. Training modules need torch alone."""

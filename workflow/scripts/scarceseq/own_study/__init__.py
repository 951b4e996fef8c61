"""A user's own study: predicted with a packed model, fold by fold, and what can be told from it."""

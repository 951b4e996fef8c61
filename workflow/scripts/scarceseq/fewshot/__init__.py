"""Few-shot learning: episodes, fine-tuning methods, scores and what they support."""

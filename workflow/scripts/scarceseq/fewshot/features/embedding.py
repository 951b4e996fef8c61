"""Embedding of the frozen encoder: the base's, or one that was learned on other studies and replaces it."""

import numpy as np
import torch

from scarceseq.fewshot.method import Source, Transform

NEEDS = ("network",)


def prepare(source: Source) -> Transform:
    """Nothing is fitted."""
    base = source.base

    def transform(expression: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return base.network.embed(torch.from_numpy(expression).to(base.mean.device)).double().cpu().numpy()

    return transform

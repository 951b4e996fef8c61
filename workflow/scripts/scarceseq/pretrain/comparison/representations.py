"""What samples are classified from when embeddings are compared: the frozen encoder and its simpler rivals.

Each is a function (base, z-scores of all labelled samples, reader of corpus rows, training rows, seed) -> two forms of
features, (samples, features): so each method has as many candidates. What is fitted is fitted on the rows that the base
was trained on.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from scarceseq import registry
from scarceseq.pretrain.components import fit_components
from scarceseq.pretrain.model import Base
from scarceseq.seeds import derive

Reader = Callable[[np.ndarray], np.ndarray]


def embedding(base: Base, values: np.ndarray, read: Reader, rows: np.ndarray, seed: int) -> list[np.ndarray]:
    """The frozen encoder's embedding, as it is and with each dimension scaled to unit variance."""
    return _two_scalings(base.network, base, values, read, rows)


def random_encoder(base: Base, values: np.ndarray, read: Reader, rows: np.ndarray, seed: int) -> list[np.ndarray]:
    """The same network with the weights that training began with; forms as for `embedding`."""
    architecture = registry.load("pretrain.architectures", base.information["architecture"])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(base.information["seed"], "initial weights"))
        network = architecture.build(base.mean.cpu(), base.scale.cpu(), base.information["settings"])
    return _two_scalings(network.to(base.mean.device), base, values, read, rows)


def principal_components(base: Base, values: np.ndarray, read: Reader, rows: np.ndarray, seed: int) -> list[np.ndarray]:
    """As many principal components as the embedding is wide, and a quarter as many."""
    fit = fit_components(read, rows, base.network.width, derive(seed, "components"))
    scores, fewer = fit.scores(values), max(int(base.network.width) // 4, 1)
    return [_overall(scores, fit.variances), _overall(scores[:, :fewer], fit.variances)]


def genes(base: Base, values: np.ndarray, read: Reader, rows: np.ndarray, seed: int) -> list[np.ndarray]:
    """All genes, as z-scores and in log2 units around their means."""
    scale = base.scale.cpu().numpy().astype(np.float64)
    return [values / np.sqrt(values.shape[1]), values * scale / np.sqrt((scale**2).sum())]


REPRESENTATIONS = {
    "embedding": embedding,
    "principal_components": principal_components,
    "genes": genes,
    "random_encoder": random_encoder,
}
SEEDED = ("embedding", "random_encoder")
"""Those that depend on the base's seed."""


def _two_scalings(
    network: nn.Module, base: Base, values: np.ndarray, read: Reader, rows: np.ndarray
) -> list[np.ndarray]:
    """Around the training rows' mean: divided by their total standard deviation, or each dimension by its own."""
    reference = np.concatenate([_embed(network, base, read(block)) for block in _blocks(rows)])
    mean, deviation = reference.mean(axis=0), np.maximum(reference.std(axis=0), 1e-12)
    centred = _embed(network, base, values) - mean
    return [_overall(centred, deviation**2), centred / deviation / np.sqrt(len(mean))]


def _overall(scores: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """Scores scaled so that their squares add up to 1 for a typical training sample."""
    return scores / np.sqrt(variances[: scores.shape[1]].sum())


def _blocks(rows: np.ndarray, size: int = 1024) -> list[np.ndarray]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]


@torch.no_grad()
def _embed(network: nn.Module, base: Base, values: np.ndarray) -> np.ndarray:
    blocks = [torch.from_numpy(np.asarray(v, dtype=np.float32)).to(base.mean.device) for v in _blocks(values)]
    return np.concatenate([network.eval().embed(block).double().cpu().numpy() for block in blocks])

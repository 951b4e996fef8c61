"""Which genes a fitted network's decision rests on: integrated gradients, and what exchanging a gene's values does."""

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from scarceseq.pretrain.gene_layers import gene_layers, without_gene_layers

if TYPE_CHECKING:
    from scarceseq.fewshot.corpus import Episode

VARIANTS_AT_ONCE = 4096


def margin(logits: Tensor, classes: Tensor) -> Tensor:
    """Logit of the given class less the mean of all, (samples,): what speaks for the class."""
    return logits[torch.arange(len(logits)), classes] - logits.mean(dim=1)


def integrated_gradients(
    classifier: torch.nn.Module, expression: Tensor, classes: Tensor, baseline: Tensor, points: int
) -> Tensor:
    """What each gene adds to the margin of a class on the straight way from a baseline (Sundararajan et al. 2017).

    `expression` are z-scores, (samples, genes), `classes`, (samples,), those whose margin is explained, `baseline` is
    (genes,), and the midpoint rule has so many `points`. Over the genes the result, (samples, genes), adds up to the
    margin less the baseline's, but for the error of the rule.
    """
    way = expression - baseline
    total = torch.zeros_like(expression)
    for point in range(points):
        place = (baseline + way * ((point + 0.5) / points)).requires_grad_(True)
        (gradient,) = torch.autograd.grad(margin(classifier(place), classes).sum(), place)
        total += gradient
    return way * total / points


@torch.no_grad()
def exchange_losses(classifier: torch.nn.Module, sample: Tensor, label: int, values: Tensor) -> Tensor:
    """By how much the margin of a sample's class falls when one gene has another sample's value (Breiman 2001).

    `sample` is (genes,), `values`, (others, genes), are of other samples; (others, genes), in units of the margin.
    Layers over the genes are changed by the one gene instead of computed anew.
    """
    genes = len(sample)
    names = gene_layers(classifier, genes)
    whole = torch.tensor([label])
    before = margin(classifier(sample[None]), whole)[0]
    module = without_gene_layers(classifier, names)
    layers: dict[str, Any] = {name: classifier.get_submodule(name) for name in names}
    start = {name: layer(sample) for name, layer in layers.items()}
    losses = torch.empty_like(values)
    for first in range(0, genes, VARIANTS_AT_ONCE):
        block = slice(first, min(first + VARIANTS_AT_ONCE, genes))
        for row, other in enumerate(values):
            change = (other - sample)[block]
            given = None
            if not names:
                given = sample.repeat(len(change), 1)
                given[torch.arange(len(change)), torch.arange(genes)[block]] += change
            for name, layer in layers.items():
                module.get_submodule(name).value.data = start[name] + change[:, None] * layer.weight[:, block].T
            logits = module(given if given is not None else sample[None])
            losses[row, block] = before - margin(logits, whole.expand(len(change)))
    return losses


def explain_fold(
    classifier: torch.nn.Module,
    episode: "Episode",
    everyone: np.ndarray,
    baseline: np.ndarray,
    points: int,
    shuffles: int,
    generator: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Attribution and importance, (held-out samples, genes), for the true class of the held-out samples of one fold.

    `classifier` was fitted to the fold's training samples; `everyone`, (samples, genes), are z-scores of all samples,
    from which other values are drawn, and `baseline` is (genes,). The error is the largest difference between the sum
    of a sample's attributions and what it should be, as a share of the largest such sum; near 1 for a network that is
    not smooth in its input, of which gradients tell nothing.
    """
    parameter = next(classifier.parameters())
    query, start, others = (torch.from_numpy(a).to(parameter) for a in (episode.query, baseline, everyone))
    classes = torch.from_numpy(episode.query_classes)
    attribution = integrated_gradients(classifier, query, classes, start, points)
    with torch.no_grad():
        expected = margin(classifier(query), classes) - margin(classifier(start[None]).expand(len(query), -1), classes)
    error = (attribution.sum(dim=1) - expected).abs().max() / expected.abs().max()
    importance = [
        exchange_losses(classifier, sample, int(label), others[generator.permutation(len(others))[:shuffles]])
        for sample, label in zip(query, classes, strict=True)
    ]
    means = torch.stack([losses.mean(dim=0) for losses in importance])
    return attribution.numpy(), means.numpy(), float(error)

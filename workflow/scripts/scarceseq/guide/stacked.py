"""Many scouts at once, for a GPU: the steps that each would make alone, with the layers over the genes in dual form.

All that SGD with momentum ever subtracts from such a layer's weights is ``A.T @ X``, with the scout's samples X and
coefficients A, (samples, units); its pre-activations are ``X @ W0.T - (X @ X.T) A`` (see
`scarceseq.fewshot.engine.dual`). No
step touches the genes, and a scout's weights over the genes are made once, when it is counted. Scouts of fewer samples
are padded; what is not in a step's batch has no share in its loss.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.func import functional_call, vmap
from torch.nn.functional import cross_entropy

from scarceseq.guide.scout_data import ScoutResult, ScoutSamples
from scarceseq.guide.settings import SchemeSettings
from scarceseq.pretrain.classifier import make_classifier
from scarceseq.pretrain.gene_layers import gene_layers, without_gene_layers
from scarceseq.seeds import derive

SCOUTS_AT_ONCE = 128


def stacks(base_network: nn.Module, settings: SchemeSettings) -> bool:
    """Whether scouts can be stacked, and layers over the genes make that worth it."""
    genes = len(base_network.gene_vectors())
    return settings.optimiser == "sgd" and bool(gene_layers(make_classifier(base_network, 2, 0), genes))


def train_stacked(
    base_network: nn.Module, tasks: Iterable[ScoutSamples], settings: SchemeSettings, seed: int
) -> Iterator[ScoutResult]:
    """The same scouts as of `scarceseq.guide.scouts.train_each`, up to rounding, in the same order and without a start.

    Settings must ask for SGD.
    """
    if settings.optimiser != "sgd":
        raise ValueError(f"stacked scouts are exact for SGD, not for {settings.optimiser}")
    tasks = iter(tasks)
    while chosen := list(itertools.islice(tasks, SCOUTS_AT_ONCE)):
        for classes, alike in itertools.groupby(chosen, lambda task: int(task.train_labels.max()) + 1):
            yield from Stack(base_network, list(alike), classes, settings, seed).results()


@dataclass(frozen=True)
class Layer:
    """A layer over the genes: pre-activations of training and held-out samples, and how coefficients change them."""

    start: torch.Tensor  # (scouts, samples, units)
    gram: torch.Tensor  # (scouts, samples, training samples)
    held_out_start: torch.Tensor
    held_out_gram: torch.Tensor


class Stack:
    """Scouts with equally many classes, trained together when this is made."""

    def __init__(
        self, base_network: nn.Module, tasks: Sequence[ScoutSamples], classes: int, settings: SchemeSettings, seed: int
    ) -> None:
        self.tasks, self.settings = tasks, settings
        self.seeds = [derive(seed, "scout", task.scout) for task in tasks]
        classifier = make_classifier(base_network, classes, 0).train()
        self.expression, self.labels = padded(tasks, "train")
        self.held_out_expression, self.held_out_labels = padded(tasks, "held_out")
        self.names = gene_layers(classifier, self.expression.shape[-1])
        self.module = without_gene_layers(classifier, self.names)
        self.has_bias = {name: classifier.get_submodule(name).bias is not None for name in self.names}
        self.layers = {name: self._layer(classifier.get_submodule(name)) for name in self.names}
        self.start = self._start(base_network, classes)
        self._train()

    @torch.no_grad()
    def _layer(self, linear: Any) -> Layer:
        rows, asked = self.expression, self.held_out_expression
        bias = 0.0 if linear.bias is None else 1.0  # the weight of a gene that is 1 in every sample
        return Layer(linear(rows), rows @ rows.mT + bias, linear(asked), asked @ rows.mT + bias)

    def _start(self, base_network: nn.Module, classes: int) -> dict[str, torch.Tensor]:
        """Weights of all scouts but those over the genes, (scouts, ...)."""
        heads = [make_classifier(base_network, classes, derive(scout_seed, "head")).head for scout_seed in self.seeds]
        start = {}
        for name, weight in self.module.named_parameters():
            if name.startswith("head."):
                start[name] = torch.stack([head.get_parameter(name.removeprefix("head.")).detach() for head in heads])
            elif name.removesuffix(".value") not in self.layers:
                start[name] = weight.detach().expand(len(self.tasks), *weight.shape).clone()
        return start

    def _train(self) -> None:
        settings = self.settings
        self.weights = {name: weight.clone() for name, weight in self.start.items()}
        self.coefficient = {name: torch.zeros_like(layer.start) for name, layer in self.layers.items()}
        speed = {name: torch.zeros_like(w) for name, w in (self.weights | self.coefficient).items()}
        self.gradient = {}
        for share in batch_shares(self.tasks, settings, self.seeds).to(self.expression):
            leaves = self.weights | {name: self.preactivation(name) for name in self.layers}
            leaves = {name: leaf.detach().requires_grad_() for name, leaf in leaves.items()}
            logits = self._logits(leaves, self.expression)
            each = cross_entropy(logits.flatten(0, 1), self.labels.flatten().clamp_min(0), reduction="none")
            gradients = torch.autograd.grad((each * share.flatten()).sum(), list(leaves.values()))
            gradient = dict(zip(leaves, gradients, strict=True))
            self.gradient = self.gradient or gradient
            for name in leaves:
                speed[name].mul_(settings.momentum).add_(gradient[name])
                if name in self.coefficient:  # what is subtracted from the layer's weights
                    self.coefficient[name].add_(speed[name], alpha=settings.learning_rate)
                else:
                    self.weights[name].sub_(speed[name], alpha=settings.learning_rate)

    def preactivation(self, name: str, held_out: bool = False) -> torch.Tensor:
        """Of a layer over the genes, (scouts, samples, units)."""
        layer = self.layers[name]
        start, gram = (layer.held_out_start, layer.held_out_gram) if held_out else (layer.start, layer.gram)
        return start - gram @ self.coefficient[name]

    def _logits(self, leaves: dict[str, torch.Tensor], expression: torch.Tensor) -> torch.Tensor:
        given = {f"{name}.value" if name in self.layers else name: leaf for name, leaf in leaves.items()}
        return vmap(lambda weights, rows: functional_call(self.module, weights, (rows,)))(given, expression)

    @torch.no_grad()
    def _accuracies(self, held_out: bool) -> list[float]:
        rows, labels = (self.held_out_expression, self.held_out_labels) if held_out else (self.expression, self.labels)
        leaves = self.weights | {name: self.preactivation(name, held_out) for name in self.layers}
        right = self._logits(leaves, rows).argmax(dim=-1) == labels
        return (right.sum(dim=1).double() / (labels >= 0).sum(dim=1)).tolist()

    @torch.no_grad()
    def results(self) -> Iterator[ScoutResult]:
        """Yield each scout's `ScoutResult`; its weights over the genes are made when its turn comes."""
        train, held_out = self._accuracies(False), self._accuracies(True)
        for place, task in enumerate(self.tasks):
            final = {name: self.weights[name][place] - start[place] for name, start in self.start.items()}
            gradient = {name: self.gradient[name][place] for name in self.start}
            for name in self.names:
                final |= self._over_genes(name, place, self.coefficient, -1.0)
                gradient |= self._over_genes(name, place, self.gradient, 1.0)
            yield ScoutResult(task.scout, train[place], held_out[place], None, final, gradient)

    def _over_genes(
        self, name: str, place: int, coefficient: dict[str, torch.Tensor], sign: float
    ) -> dict[str, torch.Tensor]:
        values = sign * coefficient[name][place]
        weight = {f"{name}.weight": values.mT @ self.expression[place]}
        return weight | ({f"{name}.bias": values.sum(dim=0)} if self.has_bias[name] else {})


def padded(tasks: Sequence[ScoutSamples], role: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Expression, (scouts, samples, genes), and labels, (scouts, samples), of a role; 0 and -1 beyond a scout's own."""
    rows = [getattr(task, f"{role}_expression") for task in tasks]
    labels = [getattr(task, f"{role}_labels") for task in tasks]
    pad = torch.nn.utils.rnn.pad_sequence
    return pad(rows, batch_first=True), pad(labels, batch_first=True, padding_value=-1)


def batch_shares(tasks: Sequence[ScoutSamples], settings: SchemeSettings, seeds: Sequence[int]) -> torch.Tensor:
    """What each sample counts in each step's loss, (steps, scouts, samples): 1 / batch within the batch, else 0.

    Batches are those that each scout draws alone.
    """
    shares = torch.zeros(settings.steps, len(tasks), max(len(task.train_labels) for task in tasks), dtype=torch.float64)
    for place, (task, seed) in enumerate(zip(tasks, seeds, strict=True)):
        samples = len(task.train_labels)
        generator = torch.Generator().manual_seed(derive(seed, "batches"))
        for step in range(settings.steps):
            batch = torch.arange(samples)
            if settings.batch_samples < samples:
                batch = torch.randperm(samples, generator=generator)[: settings.batch_samples]
            shares[step, place, batch] = 1 / len(batch)
    return shares

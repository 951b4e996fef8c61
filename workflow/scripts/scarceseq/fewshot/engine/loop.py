"""Fine-tuning on support sets: full-batch descent, exactly as a plain loop over one model would do it (torch only).

A method is a triple of start, rate and pull. Linear layers over the genes are kept in their dual form where that
is exact (see `scarceseq.fewshot.engine.dual`). One engine serves all episodes of one support size; it fits one episode
at a time, which is fastest on a CPU, or several at once, stacked on a leading dimension, which is what a GPU needs.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch.func import functional_call, vmap
from torch.nn.functional import cross_entropy

from scarceseq.fewshot.engine.dual import gene_layer, pays
from scarceseq.fewshot.engine.stability import largest_stable_rate
from scarceseq.fewshot.engine.updates import LayerUpdate, Schedule, TensorUpdate
from scarceseq.pretrain.gene_layers import gene_layers, without_gene_layers

if TYPE_CHECKING:
    from torch import nn


try:  # faster where numba is there, not needed
    from scarceseq.fewshot.engine import compiled_mlp
except ImportError:
    compiled_mlp = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Triple:
    """What distinguishes one fine-tuning method from another, by parameter name of the classifier."""

    start: dict  # initial weights
    rate: dict  # multiplier of each update; the float 0.0 leaves a tensor out of training
    # pull / 2 * (weight - start)**2 is added to what is minimised, by a move after each step that no rate multiplies;
    # the float 0.0 adds nothing
    pull: dict


@dataclass(frozen=True)
class PreparedEpisode:
    """Support set, query and what all fits to them share; see `Engine.prepare`."""

    triple: Triple
    expression: torch.Tensor
    classes: torch.Tensor
    query: torch.Tensor
    layers: dict
    query_starts: dict
    fits: int | None


@dataclass(frozen=True)
class Fit:
    """Trained weights by name, and the coefficients of the layers that are kept in dual form."""

    weights: dict
    coefficients: dict


def make_triple(
    classifier: "nn.Module", rate: Mapping[str, torch.Tensor | float], pull: Mapping[str, torch.Tensor | float]
) -> Triple:
    """Triple of a classifier's weights and the encoder's rates and pulls; the head has rate 1 and no pull."""
    start = {name: weight.detach() for name, weight in classifier.named_parameters()}
    rates = {name: rate.get(name, 1.0) for name in start}
    return Triple(start, rates, {name: pull.get(name, 0.0) for name in start})


def stack_triples(triples: list[Triple]) -> Triple:
    """One triple of several fits: what is not the very same tensor in all of them gets a leading dimension."""

    def stacked(dictionaries: list[dict[str, Any]]) -> dict[str, Any]:
        return {name: _stack([each[name] for each in dictionaries]) for name in dictionaries[0]}

    return Triple(*(stacked([getattr(triple, field) for triple in triples]) for field in ("start", "rate", "pull")))


def _stack(values: list[Any]) -> Any:
    first = values[0]
    same = all(
        value is first
        or (isinstance(value, float) and value == first)
        or (isinstance(value, torch.Tensor) and value.data_ptr() == first.data_ptr())
        for value in values
    )
    return first if same else torch.stack(values)


class Engine:
    """Fits one method to supports of one size.

    `classifier` gives the form of the network; its weights are neither used nor changed. `triple`, of any episode, says
    which layers' rates are elementwise. `steps` are those that will be made. `dual`: keep layers over the genes in dual
    form, where it takes less arithmetic; needs SGD and, in these layers, one pull for all weights (ValueError
    otherwise).
    """

    def __init__(
        self, classifier: Any, triple: Triple, samples: int, genes: int, steps: int, dual: bool | None
    ) -> None:
        self.layers = []
        for name in gene_layers(classifier, genes) if dual else []:
            weight, bias = triple.pull.get(f"{name}.weight"), triple.pull.get(f"{name}.bias")
            if isinstance(weight, torch.Tensor) or (bias is not None and bias is not weight and bias != weight):
                raise ValueError(f"{name}: the dual form is not exact with a pull for each weight")
            if pays(samples, steps, triple.rate[f"{name}.weight"]):
                self.layers.append(name)
        self._module: Any = without_gene_layers(classifier, self.layers)
        self._head = _HeadAlone(copy.deepcopy(classifier.head))
        named = dict(classifier.named_parameters())
        self._dimensions = {name: weight.ndim for name, weight in named.items()}
        self._sizes = {name: weight.numel() for name, weight in named.items()}
        self._genes, self._item_bytes = genes, next(iter(named.values())).element_size()

    def bytes_per_fit(self, samples: int) -> int:
        """Memory that one fit of a stack needs, roughly: weights, their updates, and Gram matrices."""
        weights = sum(self._sizes.values())
        if not self.layers:
            return 10 * weights * self._item_bytes
        units = sum(self._sizes[f"{layer}.weight"] for layer in self.layers) // self._genes
        return (2 * weights + 3 * samples**2 * units) * self._item_bytes

    def prepare(
        self,
        triple: Triple,
        expression: torch.Tensor,
        classes: torch.Tensor,
        query: torch.Tensor,
        fits: int | None = None,
    ) -> PreparedEpisode:
        """What all learning rates of an episode share: layers over the genes in dual form, or the embedding.

        `expression` and `query` are z-scores, (samples, genes) and (queries, genes), `classes` int64, (samples,); all
        with a leading dimension if `fits`, the number of fits that are stacked, is not None.
        """
        layers, query_starts = {}, {}
        for name in self.layers:
            weight, bias = f"{name}.weight", f"{name}.bias"
            rates = triple.rate[weight], triple.rate.get(bias, 0.0)
            layers[name] = gene_layer(triple.start[weight], triple.start.get(bias), *rates, expression)
            query_starts[name] = layers[name].start_of(query)
        return PreparedEpisode(triple, expression, classes, query, layers, query_starts, fits)

    def fit(
        self,
        support: PreparedEpisode,
        schedule: Schedule,
        kept_share: float = 1.0,
        generators: list[torch.Generator] | None = None,
    ) -> Fit:
        """Weights after the last step.

        `kept_share` of the encoder's gradient entries, drawn by one generator per fit, is used by each step, divided by
        this share; the others are set to 0.
        """
        if schedule.probe_steps:
            probe = replace(support, triple=_head_alone(support.triple))
            head = self.fit(probe, replace(schedule, steps=schedule.probe_steps, probe_steps=0)).weights
            rest = replace(schedule, steps=schedule.steps - schedule.probe_steps, probe_steps=0)
            continued = replace(support, triple=replace(support.triple, start=head))
            return self.fit(continued, rest, kept_share, generators)
        if self.layers and (schedule.optimiser != "sgd" or kept_share < 1):
            raise ValueError("the dual form is exact for SGD on all of the gradient only")
        module, inputs, weights, updates = self._begin(support, schedule)
        compiles = compiled_mlp is not None and support.fits is None and support.expression.device.type == "cpu"
        compiles = compiles and bool(self.layers) and compiled_mlp.fits(module)
        if not (compiles and compiled_mlp.descend(module, weights, updates, support.classes, schedule)):
            leaves, logits = self._forward(module, weights, list(updates), inputs, support.fits)
            for _ in range(schedule.steps):
                gradients = torch.autograd.grad(_loss(logits(), support.classes), leaves)
                _step(updates, gradients, kept_share, generators, support.fits)
        coefficients = {
            name.removesuffix(".value"): update.coefficient
            for name, update in updates.items()
            if isinstance(update, LayerUpdate)
        }
        final = {name: weights.get(name, weight).detach() for name, weight in support.triple.start.items()}
        return Fit(final, coefficients)

    def stable_rate(self, support: PreparedEpisode, momentum: float) -> Any:
        """Largest learning rate at which SGD from the start is stable; see `scarceseq.fewshot.engine.stability`."""
        module, inputs, weights, updates = self._begin(support, Schedule(1.0, momentum, 1))
        leaves, logits = self._forward(module, weights, list(updates), inputs, support.fits)
        return largest_stable_rate(logits, leaves, updates.values(), momentum)

    def _begin(
        self, support: PreparedEpisode, schedule: Schedule
    ) -> "tuple[nn.Module, torch.Tensor, dict[str, torch.Tensor], dict[str, Any]]":
        """What is run, its input, its weights at the start, and how each of those that are trained is updated."""
        triple = support.triple
        trained = [name for name, rate in triple.rate.items() if isinstance(rate, torch.Tensor) or rate != 0.0]
        if all(name.startswith("head.") for name in trained):  # the embedding never changes: compute it once
            module: nn.Module = self._head
            inputs, layers = self._embedding(support), {}
        else:
            module, inputs, layers = self._module, support.expression, support.layers
        weights: dict[str, torch.Tensor] = {}
        updates: dict[str, Any] = {}
        for name in dict(module.named_parameters()):
            layer = name.removesuffix(".value")
            if layer in layers:
                weights[name] = layers[layer].start.clone()
                if f"{layer}.weight" in trained or f"{layer}.bias" in trained:
                    pull = triple.pull[f"{layer}.weight"]
                    updates[name] = LayerUpdate(layers[layer], weights[name], pull, schedule)
            elif name in trained:
                weights[name] = self._copied(name, triple.start[name], support.fits)
                updates[name] = TensorUpdate(weights[name], triple.rate[name], triple.pull[name], schedule)
            else:
                weights[name] = triple.start[name]
        return module, inputs, weights, updates

    @torch.no_grad()
    def predict(self, support: PreparedEpisode, fit: Fit) -> torch.Tensor:
        """Class probabilities, float64, (queries, classes); with a leading dimension if there are several fits."""
        values = {
            f"{name}.value": layer.of_query(fit.coefficients[name], support.query, support.query_starts[name])
            if name in fit.coefficients
            else support.query_starts[name]
            for name, layer in support.layers.items()
        }
        return self._run(fit.weights | values, support.query, support.fits).double().softmax(dim=-1)

    @torch.no_grad()
    def weights(self, support: PreparedEpisode, fit: Fit) -> dict[str, torch.Tensor]:
        """All parameters of the classifier after the fit, by name."""
        final = {}
        for name, coefficient in fit.coefficients.items():
            weight, bias = support.layers[name].final(coefficient)
            final |= {f"{name}.weight": weight} | ({} if bias is None else {f"{name}.bias": bias})
        return fit.weights | final

    @torch.no_grad()
    def _embedding(self, support: PreparedEpisode) -> torch.Tensor:
        values = {f"{name}.value": layer.start for name, layer in support.layers.items()}
        return self._run(support.triple.start | values, support.expression, support.fits, self._module.encoder)

    def _run(
        self, weights: dict[str, torch.Tensor], inputs: torch.Tensor, fits: int | None, encoder: Any = None
    ) -> torch.Tensor:
        """Output of the classifier, or of its encoder, under the given weights."""
        module, prefix = (self._module, "") if encoder is None else (encoder, "encoder.")
        weights = {name: weights[prefix + name].detach() for name in dict(module.named_parameters())}
        return self._forward(module, weights, [], inputs, fits, prefix)[1]()

    def _copied(self, name: str, weight: torch.Tensor, fits: int | None) -> torch.Tensor:
        """Copy that a fit may change; one for each of several fits."""
        if fits is None or weight.ndim > self._dimensions[name]:
            return weight.clone()
        return weight.expand(fits, *weight.shape).clone()

    def _forward(
        self,
        module: "nn.Module",
        weights: dict[str, torch.Tensor],
        trained: Sequence[str],
        inputs: torch.Tensor,
        fits: int | None,
        prefix: str = "",
    ) -> tuple[list[torch.Tensor], Callable[[], torch.Tensor]]:
        """Leaves to differentiate by, and a function for the module's output under `weights` as they then are."""
        if fits is None:
            leaves = dict(module.named_parameters())
            for name, leaf in leaves.items():
                leaf.requires_grad_(name in trained).data = weights[name]  # the module uses the very tensors
            return [leaves[name] for name in trained], lambda: module(inputs)
        used = {name: weight.detach().requires_grad_(name in trained) for name, weight in weights.items()}
        places = {name: 0 if w.ndim > self._dimensions.get(prefix + name, 2) else None for name, w in used.items()}
        call = vmap(lambda given, rows: functional_call(module, given, (rows,)), in_dims=(places, 0))
        return [used[name] for name in trained], lambda: call(used, inputs)


class _HeadAlone(torch.nn.Module):
    """The head under its name within the classifier."""

    def __init__(self, head: "nn.Module") -> None:
        super().__init__()
        self.head = head

    def forward(self, embedding: torch.Tensor) -> torch.Tensor:
        return self.head(embedding)


@torch.no_grad()
def _step(
    updates: dict[str, Any],
    gradients: "Sequence[torch.Tensor]",
    kept_share: float,
    generators: list[torch.Generator] | None,
    fits: int | None,
) -> None:
    """One step of all that is trained, against so many of the encoder's gradient entries."""
    for (name, update), gradient in zip(updates.items(), gradients, strict=True):
        if kept_share < 1 and name.startswith("encoder."):
            gradient = gradient * _draw(gradient, kept_share, generators, fits)
        update.step(gradient)


def _draw(
    gradient: torch.Tensor, share: float, generators: list[torch.Generator] | None, fits: int | None
) -> torch.Tensor:
    """0 or 1 / share for each entry; each fit draws from its own generator, so that stacking changes nothing."""
    shape = gradient.shape if fits is None else gradient.shape[1:]
    empty = torch.empty(shape, dtype=gradient.dtype, device=gradient.device)
    drawn = [torch.empty_like(empty).bernoulli_(share, generator=generator) for generator in generators]
    return (drawn[0] if fits is None else torch.stack(drawn)).div_(share)


def _loss(logits: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """Sum over fits of the mean cross-entropy of each."""
    if classes.ndim == 1:
        return cross_entropy(logits, classes)
    flat = cross_entropy(logits.flatten(0, -2), classes.flatten(), reduction="sum")
    return flat / classes.shape[-1]


def _head_alone(triple: Triple) -> Triple:
    """The same triple with the encoder left out of training."""
    return replace(triple, rate={name: 1.0 if name.startswith("head.") else 0.0 for name in triple.rate})

"""A small screen, graphs and model of GEARS, and a slow model: every cell on its own, from the published equations."""

from dataclasses import dataclass

import numpy as np
import torch
from scarceseq.perturbation.gears.model import Gears
from scarceseq.perturbation.gears.settings import ModelSettings
from torch.nn.functional import batch_norm, linear

GENES, NODES = 23, 17
CONDITIONS = [[], [0], [1], [2], [5], [3, 11], [16]]  # nodes that are perturbed; the first is control


@dataclass(frozen=True)
class Case:
    """Cells x genes with their conditions and batches, and edges (source, target, weight) of both graphs."""

    expression: np.ndarray
    condition: np.ndarray
    batch: np.ndarray
    coexpression: tuple
    similarity: tuple


def small_case(seed=0, cells=40):
    """Log-normalised cells, a quarter of the values zero, one gene silent in condition 2."""
    generator = np.random.default_rng(seed)
    condition = np.concatenate([np.arange(len(CONDITIONS)), generator.integers(len(CONDITIONS), size=cells)])
    expression = generator.gamma(2.0, 0.4, (len(condition), GENES)) * (generator.random((len(condition), GENES)) > 0.25)
    expression[condition == 2, 4] = 0
    batch = generator.integers(2, size=len(condition))
    return Case(expression, condition, batch, random_edges(generator, GENES, 60), random_edges(generator, NODES, 50))


def random_edges(generator, nodes, count):
    """Distinct directed edges without self pairs, weights in (0.1, 1)."""
    pairs = generator.choice(nodes * nodes, size=count, replace=False)
    source, target = pairs // nodes, pairs % nodes
    use = source != target
    return source[use], target[use], generator.uniform(0.1, 1, use.sum())


def small_model(case, seeds=(1,), dtype=torch.float64, **settings):
    """Model of the case; weights of normalisations drawn too, so that none is 1 and no bias 0."""
    targets = np.full((len(CONDITIONS), 2), -1)
    for row, nodes in enumerate(CONDITIONS):
        targets[row, : len(nodes)] = nodes
    model = Gears(
        GENES, case.coexpression, case.similarity, targets, NODES, ModelSettings(8, **settings), list(seeds), dtype
    )
    generator = torch.Generator().manual_seed(5)
    for name, parameter in model.named_parameters():
        if "norm" in name:
            parameter.data += 0.3 * torch.randn(parameter.shape, generator=generator).to(dtype)
    return model


def dense_graph(edges, nodes):
    """Normalised matrix of a graph with self loops, entry by entry."""
    matrix = np.eye(nodes)
    for source, target, weight in zip(*edges, strict=True):
        matrix[target, source] = weight
    degree = matrix.sum(axis=1)
    normalised = np.zeros((nodes, nodes))
    for target in range(nodes):
        for source in range(nodes):
            normalised[target, source] = matrix[target, source] / np.sqrt(degree[source] * degree[target])
    return torch.from_numpy(normalised)


class SlowGears:
    """The forward pass with nothing shared between cells, for one member of a model's weights.

    Running statistics start where the model's are when this is made; `training` says whether they are used or moved.

    Parameters
    ----------
    model : scarceseq.perturbation.gears.model.Gears
        Weights are taken from here, so that gradients arrive there.
    member : int
    case : Case
    """

    def __init__(self, model, member, case):
        self.weights = {name: values[member] for name, values in model.named_parameters()}
        self.statistics = {name: values[member].clone() for name, values in model.named_buffers() if "running" in name}
        self.training = True
        self.coexpression = dense_graph(case.coexpression, GENES)
        self.similarity = dense_graph(case.similarity, NODES)

    def __call__(self, conditions, informed):
        """Differences to control, and log-variances if there are any, for each cell; (cells, genes).

        Parameters
        ----------
        conditions : list of int
            Of each cell.
        informed : list of bool
            Whether the cell receives co-expression information.
        """
        cells = len(conditions)
        own = torch.relu(self.norm(torch.cat([self.short("gene_embedding")] * cells), "gene_norm"))
        position = torch.cat([self.positions(informed[cell]) for cell in range(cells)])
        state = self.mlp(own + 0.2 * position, "gene_mlp").view(cells, GENES, -1)
        added = self.perturbations(conditions)
        state = torch.stack([state[cell] + added[cell] for cell in range(cells)]).flatten(0, 1)
        state = torch.relu(self.norm(state, "sum_norm"))
        decoded = self.mlp(state, "recovery").view(cells, GENES, -1)
        out = (decoded * self.weights["own_weight"]).sum(dim=2) + self.weights["own_bias"]
        cross = self.mlp(out, "cross_mlp")
        last = self.weights["output_weight"]
        delta = out * last[:, 0] + cross @ last[:, 1:].T + self.weights["output_bias"]
        if "uncertainty.last.weight" not in self.weights:
            return delta, None
        hidden = torch.relu(self.mlp(state, "uncertainty.layers"))
        return delta, self.norm(self.linear(hidden, "uncertainty.last"), "uncertainty.last_norm").view(cells, GENES)

    def short(self, name):
        """An embedding with no row longer than 1."""
        embedding = self.weights[name]
        norm = embedding.detach().norm(dim=1, keepdim=True)
        return embedding / torch.where(norm > 1, norm + 1e-7, torch.ones_like(norm)) if norm.max() > 1 else embedding

    def layers(self, values, name, matrix):
        """Graph convolutions with ReLU between them."""
        count = len([key for key in self.weights if key.startswith(name) and key.endswith("weight")])
        for index in range(count):
            values = self.linear(matrix @ (torch.relu(values) if index else values), f"{name}.{index}")
        return values

    def positions(self, informed):
        """Embedding of every gene's place, for one cell."""
        matrix = self.coexpression if informed else torch.eye(GENES, dtype=torch.float64)
        return self.layers(self.short("position_embedding"), "coexpression_layers", matrix)

    def perturbations(self, conditions):
        """What each cell's perturbation adds; a lone perturbed cell is normalised with a copy of itself."""
        nodes = self.layers(self.short("perturbation_embedding"), "similarity_layers", self.similarity)
        perturbed = [cell for cell, condition in enumerate(conditions) if CONDITIONS[condition]]
        added = [torch.zeros(nodes.shape[1], dtype=nodes.dtype) for _ in conditions]
        if perturbed:
            totals = [nodes[CONDITIONS[conditions[cell]]].sum(dim=0) for cell in perturbed]
            fused = self.mlp(torch.stack(totals * (2 if len(totals) == 1 else 1)), "fuse_mlp")
            for row, cell in enumerate(perturbed):
                added[cell] = fused[row]
        return added

    def linear(self, values, name):
        return linear(values, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])

    def norm(self, values, name):
        running = [self.statistics[f"{name}.running_{moment}"] for moment in ("mean", "variance")]
        affine = [self.weights[f"{name}.{part}"] for part in ("weight", "bias")]
        return batch_norm(values, *running, *affine, training=self.training)

    def mlp(self, values, name):
        hidden = torch.relu(self.norm(self.linear(values, f"{name}.first"), f"{name}.first_norm"))
        return self.norm(self.linear(hidden, f"{name}.second"), f"{name}.second_norm")


def slow_loss(delta, log_variance, conditions, pairs, kept, mean_control, direction_weight=0.1):
    """The loss, one condition, cell and control cell at a time.

    Parameters
    ----------
    delta, log_variance : torch.Tensor, shape (cells, genes), or None
    conditions : list of int
    pairs : list of list of (torch.Tensor, torch.Tensor)
        For each cell the (control cell, cell) pairs that it is compared in, genes each.
    kept : list of list of int
        Genes that count, for each condition.
    mean_control : torch.Tensor, shape (genes,)
    """
    total = torch.zeros((), dtype=torch.float64)
    for condition in sorted(set(conditions)):
        cells, genes, part = [c for c, k in enumerate(conditions) if k == condition], kept[condition], 0.0
        for cell in cells:
            for x, y in pairs[cell]:
                prediction = (x + delta[cell])[genes]
                power = (prediction - y[genes]) ** 4
                if log_variance is not None:
                    power = power + torch.exp(-log_variance[cell][genes]) * power
                c = mean_control[genes]
                wrong = (torch.sign(y[genes] - c) - torch.sign(prediction - c)) ** 2
                part = part + (power + direction_weight * wrong).sum() / len(pairs[cell])
        total = total + part / len(cells) / len(genes)
    return total / len(set(conditions))


def gradients(loss, model):
    """Gradient of every parameter by name, 0 for those that are not involved."""
    model.zero_grad()
    loss.backward()
    found = {name: parameter.grad for name, parameter in model.named_parameters()}
    return {
        name: torch.zeros_like(model.get_parameter(name)) if gradient is None else gradient.clone()
        for name, gradient in found.items()
    }


def assert_gradients_equal(found, expected, tolerance):
    """Largest difference below a tolerance relative to the global norm of the expected gradient."""
    norm = sum(float((value.double() ** 2).sum()) for value in expected.values()) ** 0.5
    for name, value in expected.items():
        difference = float((found[name].reshape(value.shape) - value).abs().max())
        assert difference <= tolerance * norm, f"{name}: {difference} of {norm}"

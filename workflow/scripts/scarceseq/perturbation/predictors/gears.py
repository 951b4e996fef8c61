"""GEARS (Roohani, Huang & Leskovec 2024): a network on the gene graph, trained on single cells or their moments.

The co-expression graph is made anew for each training, from control cells and those of its own perturbations. The
weights after the last epoch count, so that nothing is taken from the training perturbations to choose an epoch. Genes
that the graph does not have train isolated nodes; where one of them is to be predicted, it gets the training mean. The
embeddings of a double's two genes are added, as published.

Beside `predict`, the mean over the ensemble, there are `ensemble`, each member's prediction, and `hidden_states`, what
the network knows of a perturbation before it looks at genes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from scarceseq import device
from scarceseq.network.graph import Graph
from scarceseq.network.kinds.corpus_coexpression import correlation_edges
from scarceseq.perturbation.gears.batches import CellBatches, MomentBatches, Place
from scarceseq.perturbation.gears.model import Gears
from scarceseq.perturbation.gears.moments import ScreenMoments, dense, screen_moments
from scarceseq.perturbation.gears.settings import PredictorSettings, divide
from scarceseq.perturbation.gears.training import train
from scarceseq.perturbation.prior import Prior
from scarceseq.perturbation.training_cells import Cells
from scarceseq.runtime import keep_freed_memory
from scarceseq.screen.combinations import genes_of
from scarceseq.seeds import derive

NEEDS = ("graph", "cells")
KINDS = ("cells",)
RANDOM = True
MAX_CELLS = 10_000
"""Cells, evenly spaced, from which genes are found to be co-expressed."""


@dataclass(frozen=True)
class Features:
    """What training starts from; of the perturbations' cells and moments `fit` uses those of its own rows alone."""

    cells: Cells
    moments: ScreenMoments
    similarity: tuple  # source, target, weight of edges between nodes
    nodes: int
    node: np.ndarray  # (perturbations, genes at once), -1 for none; those that the graph lacks come after its own nodes
    known: np.ndarray  # (perturbations,), bool
    settings: tuple  # as `divide` gives them


@dataclass(frozen=True)
class Model:
    """What is learned."""

    network: Gears
    mean: np.ndarray  # (genes,), of the training perturbations
    known: np.ndarray  # (perturbations,), bool
    alone: bool  # whether cells receive no co-expression information
    history: list
    coexpression: tuple  # edges between genes


def prepare(prior: Prior, others: Sequence[str] = ()) -> Features:
    """Nodes and edges of the graph, cells, and the moments of each perturbation's difference to control.

    Others are genes of the graph that shall have nodes too: those of another screen to which the network goes.
    """
    keep_freed_memory()
    settings = divide(prior.settings)
    torch.set_num_threads(settings[0].threads)
    cells, perturbed = prior.cells, [genes_of(name) for name in prior.perturbations]
    perturbed_genes = list(dict.fromkeys(gene for genes in perturbed for gene in genes))
    similarity, nodes, node = reachable(
        prior.graph, np.array([*perturbed_genes, *others], dtype=str), settings[1].similarity_layers
    )
    of_gene, in_graph = dict(zip(perturbed_genes, node, strict=False)), set(prior.graph.nodes)
    table = np.full((len(perturbed), max(map(len, perturbed))), -1)
    for row, genes in enumerate(perturbed):
        table[row, : len(genes)] = [of_gene[gene] for gene in genes]
    all_in_graph = np.array([in_graph.issuperset(genes) for genes in perturbed])
    moments = screen_moments(cells.expression, cells.condition, cells.batch)
    return Features(cells, moments, similarity, nodes, table, all_in_graph, settings)


def reachable(graph: Graph, genes: np.ndarray, layers: int) -> tuple[tuple[np.ndarray, ...], int, np.ndarray]:
    """The nodes that genes learn from: themselves, and sources of edges into them, step by step.

    Other nodes' embeddings have no gradient, so that these alone compute what the whole graph would.

    Returns
    -------
    (tuple, int, numpy.ndarray)
        Source, target, weight of edges and in-degrees (with self loops) of the whole graph; number of nodes; node of
        each gene. Genes that the graph does not have are nodes without edges.
    """
    position = graph.positions(genes)
    outside, inside = position < 0, np.zeros(len(graph.nodes), dtype=bool)
    inside[position[~outside]] = True
    for _ in range(layers):
        inside |= np.asarray(graph.incoming[inside].sum(axis=0)).ravel() > 0
    kept = np.flatnonzero(inside)
    edges = graph.incoming[kept][:, kept].tocoo()
    degree = 1 + np.asarray(graph.incoming.sum(axis=1)).ravel()[kept]
    node = np.searchsorted(kept, position)
    node[outside] = len(kept) + np.arange(outside.sum())
    degree = np.concatenate([degree, np.ones(outside.sum())])
    return (edges.col.astype(np.int64), edges.row.astype(np.int64), edges.data, degree), len(degree), node


def fit(delta: np.ndarray, rows: Sequence[int], features: Features, seed: int = 0) -> Model:
    """Train all members of the ensemble side by side on control and the perturbations `rows`.

    The seed comes beside that of the settings: another one gives another ensemble.
    """
    chosen, shape, training = features.settings
    seeds = [derive(chosen.seed, "gears", seed, member) for member in range(chosen.members)]
    place, conditions = Place(device.choose(chosen.device)), np.concatenate([[0], 1 + np.asarray(rows)])
    used = np.flatnonzero(np.isin(features.cells.condition, conditions))
    coexpression = coexpression_edges(features.cells, used, chosen)
    targets = np.pad(features.node, ((1, 0), (0, 0)), constant_values=-1)  # control perturbs none
    genes = features.cells.expression.shape[1]
    network = Gears(genes, coexpression, features.similarity, targets, features.nodes, shape, seeds).to(place.device)
    if training.mode == "moments":
        batches: MomentBatches | CellBatches = MomentBatches(conditions, features.moments, training, seeds, place)
    else:
        cells = features.cells
        batches = CellBatches(
            cells.expression, cells.condition, features.moments, training, seeds, place, cells.batch, used
        )
    history = train(network, batches, training)
    return Model(network, delta.mean(axis=0), features.known, training.mode == "reference", history, coexpression)


def coexpression_edges(cells: Cells, used: np.ndarray, settings: PredictorSettings) -> tuple[np.ndarray, ...]:
    """(source, target, |correlation|) between genes over control cells and, if so set, all training cells, `used`."""
    if settings.coexpression_cells == "control":
        used = used[cells.condition[used] == 0]
    used = used[np.unique(np.linspace(0, len(used) - 1, min(len(used), MAX_CELLS)).astype(int))]
    values = dense(cells.expression, used)
    varies = np.flatnonzero(values.std(axis=0) > 1e-6)
    edges = correlation_edges(values[:, varies], varies, settings.min_correlation, settings.coexpression_top_k)
    return tuple(edges[column].to_numpy() for column in ("source", "target", "weight"))


def predict(model: Model, rows: Sequence[int]) -> np.ndarray:
    """Mean of the members' predictions."""
    return ensemble(model, rows).mean(axis=0)


def ensemble(model: Model, rows: Sequence[int]) -> np.ndarray:
    """Predicted differences of each member, (members, perturbations, genes)."""
    places = np.asarray(rows)
    delta, _ = model.network.predict(torch.from_numpy(1 + places), model.alone)
    predicted = delta.double().cpu().numpy()
    predicted[:, ~model.known[places]] = model.mean
    return predicted


def hidden_states(model: Model, rows: Sequence[int]) -> np.ndarray:
    """State of each perturbation, (perturbations, members x hidden); 0 for genes that the graph does not have.

    The scale is such that a linear kernel of it is the mean of the members' kernels.
    """
    places = np.asarray(rows)
    states = model.network.hidden_states(torch.from_numpy(1 + places)).double().cpu().numpy()
    states[:, ~model.known[places]] = 0
    return states.transpose(1, 0, 2).reshape(len(places), -1) / len(states) ** 0.5

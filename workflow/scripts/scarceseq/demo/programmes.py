"""The latent model: programmes of genes, a graph between programmes, and what shifts them.

All log expression in the small world is base 2. A state of the world (tissue, treatment, perturbation) is a vector of
programme activities; it reaches the genes through one loadings matrix. A shift of one programme spreads along the
programme graph by the diffusion ``(1 - s) (I - s W)^-1``, W the symmetrically normalised adjacency, s the smoothness.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from scarceseq.demo.settings import DemoSettings
from scarceseq.seeds import derive

TISSUES = {  # organ systems share part of their activity
    "nervous": ["cerebral cortex", "cerebellum", "hippocampus", "retina"],
    "immune": ["spleen", "thymus", "bone marrow", "lymph node"],
    "digestive": ["liver", "small intestine", "pancreas", "colon"],
    "muscle": ["heart", "skeletal muscle", "smooth muscle", "tongue"],
    "epithelial": ["lung", "kidney", "skin", "mammary gland"],
}
TREATMENTS = ["dexamethasone", "lipopolysaccharide", "high fat diet", "irradiation", "fasting", "hypoxia"]


@dataclass(frozen=True)
class World:
    """The latent model.

    Attributes
    ----------
    adjacency, diffusion : ndarray (programmes, programmes)
        Programme graph, symmetric, 0/1, zero diagonal; how far a unit shift of a programme (row) reaches each (column).
    loadings : ndarray (genes, programmes)
        log2 expression change of a gene per unit activity of a programme.
    sub_programme, first_programme : ndarray (genes,)
        The gene's first programme, and the sub-programme within it; -1 for genes in no programme.
    base : ndarray (genes,)
        log2 abundance per base of transcript at zero activity.
    dispersion : ndarray (genes,)
        Negative binomial dispersion between replicates.
    tissues, treatments : dict of str to ndarray (programmes,)
        Activities, and shifts of them.
    """

    adjacency: np.ndarray
    diffusion: np.ndarray
    loadings: np.ndarray
    sub_programme: np.ndarray
    first_programme: np.ndarray
    base: np.ndarray
    dispersion: np.ndarray
    tissues: dict
    treatments: dict


SUB_PROGRAMMES, NEIGHBOURS = 3, 3
SHARE_WITHOUT_PROGRAMME = 0.25
SHARED = 0.5  # variance of the states of a group that they have in common


def programme_graph(count: int, generator: np.random.Generator) -> np.ndarray:
    """Programmes at random places on a torus, each joined to its nearest `NEIGHBOURS`; symmetric 0/1 adjacency."""
    places = generator.random((count, 2))
    offset = np.abs(places[:, None, :] - places[None, :, :])
    distance = np.sqrt((np.minimum(offset, 1 - offset) ** 2).sum(axis=2))
    np.fill_diagonal(distance, np.inf)
    nearest = np.argsort(distance, axis=1)[:, : min(NEIGHBOURS, count - 1)]
    adjacency = np.zeros((count, count))
    adjacency[np.arange(count)[:, None], nearest] = 1.0
    return np.maximum(adjacency, adjacency.T)


def diffuse(adjacency: np.ndarray, smoothness: float) -> np.ndarray:
    """Diffusion operator of the programme graph, (1 - s) (I - s W)^-1, scaled to a unit diagonal mean."""
    root = 1 / np.sqrt(np.maximum(adjacency.sum(axis=1), 1))
    normalised = adjacency * root[:, None] * root[None, :]
    operator = np.linalg.inv(np.eye(len(adjacency)) - smoothness * normalised)
    return operator / np.diag(operator).mean()


def _memberships(
    count: int, adjacency: np.ndarray, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Loadings and first (sub-)programme of each gene; further programmes are mostly neighbours of the first."""
    programmes = len(adjacency)
    popularity = generator.dirichlet(np.full(programmes, 6.0))
    first = generator.choice(programmes, size=count, p=popularity)
    first[generator.random(count) < SHARE_WITHOUT_PROGRAMME] = -1
    loadings = np.zeros((count, programmes))
    for gene in np.flatnonzero(first >= 0):
        members = [first[gene]]
        for chance in (0.45, 0.15):
            if generator.random() < chance:
                near = np.flatnonzero(adjacency[first[gene]])
                members.append(generator.choice(near) if generator.random() < 0.8 else generator.integers(programmes))
        signs = np.where(generator.random(len(members)) < 0.95, 1.0, -1.0)
        loadings[gene, members] = signs * generator.gamma(4.0, 0.25, size=len(members))
    sub = np.where(first >= 0, generator.integers(SUB_PROGRAMMES, size=count), -1)
    return loadings, first, sub


def _base(kinds: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """log2 abundance per base: most coding genes expressed, the rest and most other genes near silence."""
    coding = kinds == "protein_coding"
    restricted = generator.random(len(kinds)) < np.where(coding, 0.38, 0.75)
    return np.where(restricted, generator.normal(-7.5, 3.0, len(kinds)), generator.normal(3.2, 1.9, len(kinds)))


def _activities(
    groups: Iterable[Sequence[str]], diffusion: np.ndarray, strength: float, generator: np.random.Generator
) -> dict[str, np.ndarray]:
    """Activities of named states; states of one group share part of theirs; unit sd before `strength`."""
    activities = {}
    for names in groups:
        common = generator.normal(size=len(diffusion))
        for name in names:
            raw = np.sqrt(SHARED) * common + np.sqrt(1 - SHARED) * generator.normal(size=len(diffusion))
            field = raw @ diffusion
            activities[name] = strength * (field - field.mean()) / field.std()
    return activities


def choose_tissues(count: int) -> list[list[str]]:
    """The first `count` tissue names, taken in turn from the organ systems, by system."""
    chosen = [names[turn] for turn in range(4) for names in TISSUES.values()][:count]
    return [[name for name in names if name in chosen] for names in TISSUES.values()]


def make_world(settings: DemoSettings, genes: pd.DataFrame, seed: int) -> World:
    """Draw the latent model; the genes are of `scarceseq.demo.genes.make_genes`."""
    generator = np.random.default_rng(derive(seed, "demo", "programmes"))
    adjacency = programme_graph(settings.programmes, generator)
    diffusion = diffuse(adjacency, settings.graph_smoothness)
    loadings, first, sub = _memberships(len(genes), adjacency, generator)
    base = _base(genes["gene_type"].to_numpy(), generator)
    dispersion = 2.0 ** generator.normal(-5.3, 1.2, size=len(genes))
    systems = filter(None, choose_tissues(settings.tissues))
    tissues = _activities(systems, diffusion, settings.tissue_strength, generator)
    single = [[name] for name in TREATMENTS[: settings.treatments]]
    treatments = _activities(single, diffusion, settings.treatment_strength, generator)
    return World(adjacency, diffusion, loadings, sub, first, base, dispersion, tissues, treatments)

"""The Perturb-seq screen: single-gene knock-downs whose effects spread along the programme graph."""

from pathlib import Path

import anndata
import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from scarceseq.demo.doubles import draw_doubles
from scarceseq.demo.programmes import World
from scarceseq.demo.settings import DemoSettings
from scarceseq.files import atomic
from scarceseq.seeds import derive

CONTROL = "control"
CONTROL_FACTOR = 10  # control cells per cell of a typical perturbation
BATCHES = 3
FOCUS = 1.5  # shape of the gamma law of the programmes' share of targets; small: few pathways
KNOCK_DOWN = -2.5  # log2 change of the target's own transcript
MOLECULES_PER_GENE = 3.0  # median library size of a cell, per gene of the small world
OFF_TARGET_SHARE = 0.01
UNRELATED_SHARE = 0.3  # of the programme shift that the graph does not know
SUB_PROGRAMME_SHARE = 0.5  # of the effect that stays within the target's sub-programme


def choose_targets(world: World, genes: pd.DataFrame, count: int, generator: np.random.Generator) -> np.ndarray:
    """Genes to perturb: coding, mostly expressed, nine in ten of them in a programme. Rows of `genes`, sorted.

    Screens are made for some pathways more than for others, so programmes differ in how often they are targeted.
    """
    coding = (genes["gene_type"] == "protein_coding").to_numpy()
    expressed = coding & (world.base > np.quantile(world.base[coding], 0.3))
    inside = np.flatnonzero(expressed & (world.first_programme >= 0))
    outside = np.flatnonzero(expressed & (world.first_programme < 0))
    without = min(count // 10, len(outside))
    interest = generator.gamma(FOCUS, size=len(world.adjacency)) + 0.05
    weight = interest[world.first_programme[inside]]
    chosen = [generator.choice(inside, count - without, replace=False, p=weight / weight.sum())]
    chosen.append(generator.choice(outside, without, replace=False))
    return np.sort(np.concatenate(chosen))


def perturbation_effects(
    world: World, targets: np.ndarray, strength: float, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Effects, log2 change by perturbation, (perturbations, genes), shifts, (perturbations, programmes), and strengths.

    A knock-down lowers the target's programmes and, through the diffusion, their neighbours; it lowers the target's
    sub-programme further; a share of its programme shift is unrelated to the graph; a response common to all
    perturbations grows with strength, which is log-normal; a few off-target genes change at random.
    """
    count, programmes = len(targets), len(world.adjacency)
    of_programme = generator.normal(0, 0.6, size=programmes)  # some pathways matter more to the cell than others
    strengths = strength * 2.0 ** (of_programme[world.first_programme[targets]] + generator.normal(0, 0.4, size=count))
    loadings = world.loadings[targets]
    norm = np.sqrt((loadings**2).sum(axis=1, keepdims=True))
    direction = -(loadings / np.where(norm > 0, norm, 1)) @ world.diffusion
    unrelated = generator.normal(size=(count, programmes)) * (generator.random((count, programmes)) < 0.1)
    common = generator.normal(0, 0.15, size=programmes) @ world.diffusion
    shifts = strengths[:, None] * (direction + UNRELATED_SHARE * unrelated + common)
    effects = shifts @ world.loadings.T
    same = world.first_programme[targets][:, None] == world.first_programme[None, :]
    same &= world.sub_programme[targets][:, None] == world.sub_programme[None, :]
    same &= world.first_programme[None, :] >= 0
    effects -= SUB_PROGRAMME_SHARE * strengths[:, None] * same
    hit = generator.random(effects.shape) < OFF_TARGET_SHARE
    effects += np.where(hit, generator.normal(0, 0.7, size=effects.shape), 0) * strengths[:, None]
    effects[np.arange(count), targets] = KNOCK_DOWN
    return effects, shifts, strengths


def cell_counts(settings: DemoSettings, generator: np.random.Generator) -> np.ndarray:
    """Cells of each perturbation: half to twice the typical number."""
    typical = settings.cells_per_perturbation
    cells = typical * 2.0 ** np.clip(generator.normal(0, 0.5, size=settings.perturbations), -1, 1)
    return np.rint(cells).astype(int)


def sequence_cells(
    world: World, genes: pd.DataFrame, state: np.ndarray, batches: np.ndarray, generator: np.random.Generator
) -> sparse.csr_matrix:
    """Molecule counts of cells in one state: whole numbers, float32, (cells, genes).

    `state` is log2 abundance of transcripts, (genes,): molecules, not bases, so that length plays no part; `batches`
    are batch shifts, (cells, genes).
    """
    cells = len(batches)
    activity = generator.normal(0, 0.2, size=(cells, len(world.adjacency)))
    abundance = 2.0 ** (state + activity @ world.loadings.T + batches)
    depth = MOLECULES_PER_GENE * len(genes) * 2.0 ** generator.normal(0, 0.5, size=(cells, 1))
    expected = depth * abundance / abundance.sum(axis=1, keepdims=True)
    shape = 1 / (world.dispersion + 0.1)
    molecules = generator.poisson(expected * generator.gamma(shape, 1 / shape, size=expected.shape))
    return sparse.csr_matrix(molecules.astype(np.float32))


def make_screen(
    settings: DemoSettings, world: World, genes: pd.DataFrame, seed: int
) -> tuple[AnnData, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Draw the screen.

    Returns
    -------
    screen : anndata.AnnData (cells, genes)
        Raw counts; obs: perturbation (control or the target's symbol), batch; var: gene_id.
    effects, shifts, doubles : pandas.DataFrame
        The truth: perturbation, strength, then a column of log2 change per gene; perturbation, then a column of
        activity change per programme; perturbations of two genes, see `scarceseq.demo.doubles`.
    """
    generator = np.random.default_rng(derive(seed, "demo", "screen"))
    targets = choose_targets(world, genes, settings.perturbations, generator)
    effects, shifts, strengths = perturbation_effects(world, targets, settings.effect_strength, generator)
    names = genes["gene_name"].to_numpy()[targets]
    line = generator.normal(size=len(world.adjacency)) @ world.diffusion
    state = world.base + settings.tissue_strength * (line / line.std()) @ world.loadings.T
    batch_shift = generator.normal(0, 0.2, size=(BATCHES, len(genes)))
    groups = [(CONTROL, np.zeros(len(genes)), CONTROL_FACTOR * settings.cells_per_perturbation)]
    groups += list(zip(names, effects, cell_counts(settings, generator), strict=True))
    changes, doubles = draw_doubles(names, effects, targets, settings.doubles, seed)
    sizes = [settings.cells_per_perturbation] * len(doubles)
    groups += list(zip(doubles["perturbation"], changes, sizes, strict=True))
    blocks, observations = [], []
    for name, effect, cells in groups:
        batch = generator.integers(BATCHES, size=cells)
        blocks.append(sequence_cells(world, genes, state + effect, batch_shift[batch], generator))
        observations += [(name, f"batch_{index + 1}") for index in batch]
    order = generator.permutation(len(observations))
    counts = sparse.vstack(blocks, format="csr")[order]
    counts.sort_indices()
    obs = pd.DataFrame(observations, columns=["perturbation", "batch"]).iloc[order]
    obs.index = [f"cell_{index:06d}" for index in range(len(obs))]
    var = pd.DataFrame({"gene_id": genes["gene_id"].to_numpy()}, index=genes["gene_name"].to_numpy())
    screen = anndata.AnnData(X=counts, obs=obs.astype("category"), var=var)
    truth = pd.DataFrame(effects, columns=genes["gene_name"])
    truth.insert(0, "strength", strengths)
    truth.insert(0, "perturbation", names)
    shift_table = pd.DataFrame(shifts, columns=programme_names(shifts.shape[1]))
    shift_table.insert(0, "perturbation", names)
    return screen, truth, shift_table, doubles


def programme_names(count: int) -> list[str]:
    """Names of the programmes: programme_01, ..."""
    return [f"programme_{index:02d}" for index in range(1, count + 1)]


def write_screen(screen: AnnData, path: str | Path) -> None:
    """Write the screen as h5ad."""
    with atomic(path, sealed=True) as temporary:
        screen.write_h5ad(temporary, compression="gzip", compression_opts=1)

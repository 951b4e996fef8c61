"""Read counts of the bulk runs and the base-pair coverage that recount3 would report for them."""

from typing import Any

import numpy as np
import pandas as pd

from scarceseq.demo.genes import INFLATED_GENE
from scarceseq.demo.programmes import World
from scarceseq.demo.settings import DemoSettings
from scarceseq.seeds import derive

LAB_FACTORS = 3  # directions (protocol, degradation, ...) that all studies share, each study with its own scores
TARGET_COVERAGE = int(2**31 * 1.15)  # of the top gene of a run with the quirk huge_value
AMPLIFICATION = 60  # reads per molecule in single-cell-like runs
SEX_GENES, SEX_SHIFT = 6, 6.0


def study_effects(genes: pd.DataFrame, studies: pd.DataFrame, strength: float, seed: int) -> np.ndarray:
    """Shift of log2 expression by study, (studies, genes): gene-wise, along shared lab factors, with gene length."""
    generator = np.random.default_rng(derive(seed, "demo", "batch"))
    count = len(genes)
    length = np.log2(genes["bp_length"].to_numpy())
    length = (length - length.mean()) / length.std()
    factors = generator.normal(size=(LAB_FACTORS, count))
    scores = generator.normal(0, 0.45, size=(len(studies), LAB_FACTORS))
    of_gene = generator.normal(0, 0.95, size=(len(studies), count))
    slope = generator.normal(0, 0.35, size=(len(studies), 1))
    effects = strength * (of_gene + scores @ factors + slope * length)
    inflated = np.flatnonzero(genes["gene_id"] == INFLATED_GENE)
    effects[:, inflated] += generator.choice([0.0, 4.0], size=(len(studies), 1))
    return effects


def sample_activity(world: World, samples: pd.DataFrame, strength: float, generator: np.random.Generator) -> np.ndarray:
    """Programme activities of the samples, (samples, programmes).

    They are those of tissue, treatment, the study's dissection of that tissue (of the given strength) and the animal.
    """
    programmes = len(world.adjacency)
    activity = np.array([world.tissues[tissue] for tissue in samples["tissue"]])
    treated = (samples["treatment"] == "treated").to_numpy()
    for kind, shift in world.treatments.items():
        activity[treated & (samples["treatment_kind"] == kind).to_numpy()] += shift
    cells = samples.groupby(["study", "tissue"], sort=False).ngroup().to_numpy()
    dissection = strength * generator.normal(0, 0.6, size=(cells.max() + 1, programmes)) @ world.diffusion
    animal = generator.normal(0, 0.15, size=(len(samples), programmes)) @ world.diffusion
    return activity + dissection[cells] + animal


def sample_expression(
    settings: DemoSettings, world: World, genes: pd.DataFrame, studies: pd.DataFrame, samples: pd.DataFrame, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """log2 abundance per base before counting, (samples, genes), and programme activities, (samples, programmes)."""
    generator = np.random.default_rng(derive(seed, "demo", "expression"))
    activity = sample_activity(world, samples, settings.batch_strength, generator)
    effects = study_effects(genes, studies, settings.batch_strength, seed)
    tissue_only = {name: generator.normal(0, 0.3, size=len(genes)) for name in world.tissues}
    expression = world.base + activity @ world.loadings.T + np.array([tissue_only[name] for name in samples["tissue"]])
    expression += effects[pd.Index(studies["study"]).get_indexer(samples["study"])]
    sex_genes = generator.choice(len(genes), size=SEX_GENES, replace=False)
    female = (samples["sex"] == "female").to_numpy()
    expression[np.ix_(female, sex_genes[::2])] -= SEX_SHIFT
    expression[np.ix_(~female, sex_genes[1::2])] -= SEX_SHIFT
    return expression, activity


def count_reads(world: World, genes: pd.DataFrame, expression: np.ndarray, runs: pd.DataFrame, seed: int) -> np.ndarray:
    """Over-dispersed fragment counts, int64, (runs, genes); runs of one sample share its biological variation."""
    generator = np.random.default_rng(derive(seed, "demo", "counts"))
    bases = 2.0**expression * genes["bp_length"].to_numpy()
    shape = 1 / world.dispersion
    bases *= generator.gamma(shape, 1 / shape, size=expression.shape)
    share = bases / bases.sum(axis=1, keepdims=True)
    counts = np.empty((len(runs), len(genes)), dtype=np.int64)
    for row, run in enumerate(runs.itertuples()):
        expected = run.fragments * share[run.sample_number]
        if run.quirk == "huge_value":
            expected *= TARGET_COVERAGE / (mapped_length(run) * expected.max())
        if run.quirk == "low_mapped_run":
            expected *= 150_000 / run.fragments
        if run.quirk == "single_cell":
            molecules = generator.poisson(expected * 0.02 * generator.uniform(0.3, 1.0) * 1e6 / run.fragments)
            counts[row] = generator.poisson(molecules * AMPLIFICATION)
        else:
            counts[row] = generator.poisson(expected)
    counts[(runs["quirk"] == "zero_run").to_numpy()] = 0
    return counts


def mapped_length(run: Any) -> float:
    """Mean aligned bases per fragment (star.average_mapped_length): both mates, a little less than was sequenced."""
    mates = 2 if run.paired else 1
    return round(run.read_length * mates * 0.985, 2)


def coverage(counts: np.ndarray, runs: pd.DataFrame, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Base-pair coverage sums as recount3 stores them, int64, (runs, genes), and the total of all bases (AUC), (runs,).

    Each count contributes about the mapped length; the noise stays below half a fragment, so that
    ``rint(coverage / mapped length)`` gives the counts back. A few per cent of the total are outside of the genes.
    """
    generator = np.random.default_rng(derive(seed, "demo", "coverage"))
    length = np.array([mapped_length(run) for run in runs.itertuples()])[:, None]
    noise = generator.uniform(-0.3, 0.3, size=counts.shape) * length
    sums = np.rint(counts * length + np.where(counts > 0, noise, 0)).astype(np.int64)
    outside = generator.uniform(0.02, 0.10, size=len(runs))
    total = np.rint(sums.sum(axis=1) * (1 + outside)).astype(np.int64)
    return sums, total

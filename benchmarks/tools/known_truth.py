"""What choosing is worth where the truth is known: effects drawn from a Gaussian process on the graph that is used.

For two graphs, several levels of noise and spreads of strengths, ridge on graph features is trained on a fifth of the
pool, chosen in several ways, and judged on held-out perturbations. V-optimal choice is the oracle: it minimises the
error that the model expects. Then the same for the generator of the demo screen, whose effects follow a graph of
programmes that the predictor sees through a noisy annotation alone: screens drawn independently of each other, for
several smoothnesses and spreads of strengths.
`python benchmarks/tools/known_truth.py TABLE [GO_TABLE]` writes the table; tests use the first world and the demo's.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

from scarceseq.demo.annotation import make_annotation
from scarceseq.demo.genes import make_genes
from scarceseq.demo.programmes import make_world
from scarceseq.demo.screen import choose_targets, perturbation_effects
from scarceseq.demo.settings import DemoSettings
from scarceseq.files import write_table
from scarceseq.network.graph import graph_from_edges, read_graph
from scarceseq.network.kinds.annotation import jaccard_edges
from scarceseq.perturbation.kernel import Kernel, fit, predict
from scarceseq.seeds import derive
from scarceseq.selection.evidence import Evidence
from scarceseq.selection.kernels import gene_kernel
from scarceseq.selection.selector import ranker
from scarceseq.selection.settings import RankingSettings
from scarceseq.selection.stability import rewire

SEED, SPLITS, DRAWS, REWIRINGS = 20261121, 10, 20, 3
SCREENS, SPLITS_OF_SCREEN, DEMO_NOISE = 40, 3, 0.3
BUDGET_SHARE, TEST_SHARE, COLUMNS = 0.2, 0.2, 60
WAYS = ("v_optimal", "reach@usage", "reach@tests")


def annotation_graph(genes=600, terms=400):
    """Genes linked by shared terms, in GEARS' manner; terms are drawn independently, sizes fall off as a power law."""
    generator = np.random.default_rng(SEED)
    names = np.array([f"G{index:03d}" for index in range(genes)])
    sizes = np.clip((150 / np.arange(1, terms + 1) ** 0.6).astype(int), 4, None)
    pairs = [
        (names[gene], str(term)) for term, size in enumerate(sizes) for gene in generator.permutation(genes)[:size]
    ]
    _, edges = jaccard_edges(pd.DataFrame(pairs, columns=["gene", "term"]), 0.05, 20)
    return graph_from_edges(edges)


def draw_profiles(graph, genes, noise, spread):
    """Profiles of perturbations: a Gaussian process on the graph, times log-normal strengths, plus noise.

    Parameters
    ----------
    graph : scarceseq.network.graph.Graph
    genes : numpy.ndarray of str
    noise : float
        Variance of the noise; that of the effects is 1 for a strength of 1.
    spread : float
        Standard deviation of the logarithm of strengths; 0 for equal ones.
    """
    generator = np.random.default_rng(derive(SEED, "profiles"))
    half = np.linalg.cholesky(gene_kernel(graph, genes) + 1e-9 * np.eye(len(genes)))
    effects = half @ generator.normal(size=(len(genes), COLUMNS))
    strengths = np.exp(spread * generator.normal(size=(len(genes), 1)) - spread**2)  # mean square 1
    return strengths * effects + np.sqrt(noise) * generator.normal(size=effects.shape)


def draw_demo(seed, smoothness, spread, noise):
    """Graph, perturbed genes and profiles of a screen of the demo's generator, its other settings by default.

    Parameters
    ----------
    seed : int
    smoothness : float
        How far a shift of one programme spreads; 0.6 in the demo.
    spread : float
        Power of the strengths that the generator drew: 0 for equal ones, 1 for those of the demo.
    noise : float
        Variance of the noise, that of all effects together being 1. The perturbed gene's own change is left out.
    """
    settings = DemoSettings(graph_smoothness=smoothness)
    genes = make_genes(settings, seed)
    world = make_world(settings, genes, seed)
    generator = np.random.default_rng(derive(seed, "demo screen"))
    targets = choose_targets(world, genes, settings.perturbations, generator)
    effects, _, strengths = perturbation_effects(world, targets, settings.effect_strength, generator)
    effects[np.arange(len(targets)), targets] = 0
    effects *= strengths[:, None] ** (spread - 1)
    effects /= np.sqrt((effects**2).mean())
    _, edges = jaccard_edges(make_annotation(settings, world, genes, seed), 0.1, 20)
    names = genes["gene_name"].to_numpy(dtype=object)[targets]
    order = np.argsort(names.astype(str))
    profiles = effects[order] + np.sqrt(noise) * generator.normal(size=effects.shape)
    return graph_from_edges(edges), names[order], profiles


def errors_by_way(graph, genes, profiles, splits=SPLITS, rewirings=REWIRINGS):
    """Mean squared error on held-out perturbations at a fifth of the pool: a row per split, a column per way."""
    known = Kernel(gene_kernel(graph, genes), graph.positions(genes) >= 0)
    rewired = [rewire(graph, 0.999, derive(SEED, "rewired", number)) for number in range(rewirings)]
    tests, rows = round(TEST_SHARE * len(genes)), []
    for split in range(splits):
        order = np.random.default_rng(derive(SEED, "split", split)).permutation(len(genes))
        test, pool = np.sort(order[:tests]), np.sort(order[tests:])

        def error(selector, on, seed=0, test=test, pool=pool):
            evidence = Evidence(RankingSettings(1, 1), on, tuple(genes[test]), (on,))
            budget = round(BUDGET_SHARE * len(pool))
            chosen = np.sort(
                np.searchsorted(genes, ranker(selector)(list(genes[pool]), evidence, budget, seed=seed)[0])
            )
            return ((predict(fit(profiles[chosen], chosen, known), test) - profiles[test]) ** 2).mean()

        row = {name: error(name, graph) for name in WAYS}
        row["random"] = np.mean([error("random", graph, derive(SEED, split, draw)) for draw in range(DRAWS)])
        row["reach@usage on rewired"] = np.mean([error("reach@usage", other) for other in rewired])
        rows.append(row)
    return pd.DataFrame(rows)


def gains(errors):
    """Mean reduction of each way's error against random, and its standard error, corrected for overlapping splits."""
    difference = -errors.drop(columns="random").sub(errors["random"], axis=0)
    scale = np.sqrt(1 / len(errors) + TEST_SHARE / (1 - TEST_SHARE))
    return pd.DataFrame({"gain": difference.mean(), "standard_error": difference.std(ddof=1) * scale})


def demo_gains(smoothness, spread):
    """As `gains`, in percent of what random choice could save, over independent screens of the demo's generator."""
    rows = []
    for number in range(SCREENS):
        drawn = draw_demo(derive(SEED, "demo", number), smoothness, spread, DEMO_NOISE)
        errors = errors_by_way(*drawn, splits=SPLITS_OF_SCREEN, rewirings=1).mean()
        rows.append(-100 * (errors.drop("random") - errors["random"]) / (errors["random"] - DEMO_NOISE))
    table = pd.DataFrame(rows)
    return pd.DataFrame({"gain": table.mean(), "standard_error": table.std(ddof=1) / np.sqrt(SCREENS)})


def worlds(go_table=None):
    """(name, graph, perturbed genes) of each graph; that of the Gene Ontology from an edge file of build_graph."""
    graph, generator = annotation_graph(), np.random.default_rng(SEED)
    yield "independent terms", graph, np.sort(generator.permutation(graph.nodes)[:300]).astype(object)
    if go_table:
        graph = read_graph(go_table)
        yield "Gene Ontology", graph, np.sort(generator.permutation(graph.nodes)[:300]).astype(object)


def sweep(go_table=None):
    """What is swept: about (dict), gains in percent of what random choice could still save, its error without noise."""
    for name, graph, genes in worlds(go_table):
        for noise in (0.1, 0.3, 1.0):
            for spread in (0.0, 0.5, 1.0):
                errors = errors_by_way(graph, genes, draw_profiles(graph, genes, noise, spread))
                about = {"graph": name, "smoothness": np.nan, "noise": noise, "spread_of_strengths": spread}
                yield about, 100 * gains(errors) / (errors["random"].mean() - noise)
    for smoothness in (0.0, 0.3, 0.6, 0.9):
        for spread in (0.0, 0.5, 1.0):
            about = {"graph": "demo", "smoothness": smoothness, "noise": DEMO_NOISE, "spread_of_strengths": spread}
            yield about, demo_gains(smoothness, spread)


def main(target, go_table=None):
    """Write the table of gains."""
    parts = []
    for about, table in sweep(go_table):
        parts.append(table.rename_axis("way").reset_index().assign(**about))
        print(parts[-1].round(2).to_string(header=len(parts) == 1), flush=True)
    write_table(pd.concat(parts, ignore_index=True).round(3), target)


if __name__ == "__main__":
    main(*sys.argv[1:])

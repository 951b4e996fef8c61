"""How many perturbations must be measured in a new cell line, where another one is measured already.

Generated worlds of two contexts: the same genes are perturbed in both, and effects spread along the same programmes;
strengths, off-target genes and part of the programmes' shifts are each context's own. A fraction of the pool is
measured in the new context, chosen at random or by V-optimal choice, and what is held out is predicted.
`python benchmarks/tools/transfer_curve.py docs/benchmark` writes `transfer_curve.tsv` and `transfer_curve.md`, in a
minute of one core.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

from scarceseq import registry
from scarceseq.demo.annotation import make_annotation
from scarceseq.demo.genes import make_genes
from scarceseq.demo.programmes import make_world
from scarceseq.demo.screen import choose_targets, perturbation_effects
from scarceseq.demo.settings import DemoSettings
from scarceseq.files import write_table
from scarceseq.network.graph import graph_from_edges
from scarceseq.network.kinds.annotation import jaccard_edges
from scarceseq.perturbation.prior import Prior
from scarceseq.seeds import derive
from scarceseq.selection.evidence import Evidence
from scarceseq.selection.selector import ranker
from scarceseq.selection.settings import RankingSettings
from scarceseq.statistics.intervals import mean_interval

SEED, WORLDS, DRAWS, COLUMNS = 20261203, 40, 5, 300
NOISE, TEST_SHARE = 0.3, 0.2
MEASURED = (0.05, 0.1, 0.2, 0.4, 0.7, 1.0)
PREDICTORS = ("mean_kernel", "other_contexts", "other_contexts_kernel")
SELECTORS = ("random", "v_optimal", "v_optimal@list")


def two_contexts(seed):
    """Graph, perturbed genes, profiles in the new context and in the other one, and the true ones of the new.

    The perturbed gene's own change is left out; all effects of a context have mean square 1, noise `NOISE`.
    """
    settings = DemoSettings()
    genes = make_genes(settings, seed)
    world = make_world(settings, genes, seed)
    targets = choose_targets(world, genes, settings.perturbations, np.random.default_rng(derive(seed, "targets")))
    _, edges = jaccard_edges(make_annotation(settings, world, genes, seed), 0.1, 20)
    names = genes["gene_name"].to_numpy(dtype=object)[targets]
    order = np.argsort(names.astype(str))
    columns = np.random.default_rng(derive(seed, "columns")).permutation(len(genes))[:COLUMNS]
    profiles = []
    for context in ("new", "other"):
        generator = np.random.default_rng(derive(seed, "context", context))
        effects, _, _ = perturbation_effects(world, targets, settings.effect_strength, generator)
        effects[np.arange(len(targets)), targets] = 0
        effects /= np.sqrt((effects**2).mean())
        effects = effects[order][:, columns]
        profiles.append(effects + np.sqrt(NOISE) * generator.normal(size=effects.shape))
    return graph_from_edges(edges), names[order], *profiles


def errors_of_world(seed):
    """Squared error on held-out perturbations over that of the whole pool's mean: a row per way and fraction."""
    graph, names, new, other = two_contexts(seed)
    prior = Prior(names.astype(str), np.arange(COLUMNS).astype(str), graph, kernels=(graph,), contexts=other)
    order = np.random.default_rng(derive(seed, "split")).permutation(len(names))
    tests = round(TEST_SHARE * len(names))
    test, pool = np.sort(order[:tests]), np.sort(order[tests:])
    floor = ((new[test] - new[pool].mean(axis=0)) ** 2).mean()
    rows = [("elsewhere alone", "none", 0.0, ((other[test] - new[test]) ** 2).mean() / floor)]
    for name in PREDICTORS:
        predictor = registry.load("perturbation.predictors", name)
        prepared = predictor.prepare(prior)
        for selector in SELECTORS:
            evidence = Evidence(RankingSettings(1, 1), graph, tuple(names[test]))
            draws = [derive(seed, "draw", draw) for draw in range(DRAWS if selector == "random" else 1)]
            ranked = [np.searchsorted(names, ranker(selector)(list(names[pool]), evidence, seed=d)[0]) for d in draws]
            for share in MEASURED:
                size, errors = round(share * len(pool)), []
                for ranking in ranked:
                    chosen = np.sort(ranking[:size])
                    predicted = predictor.predict(predictor.fit(new[chosen], chosen, prepared), test)
                    errors.append(((predicted - new[test]) ** 2).mean() / floor)
                rows.append((name, selector, share, np.mean(errors)))
    return pd.DataFrame(rows, columns=["predictor", "selector", "measured", "error"])


def curve(worlds=WORLDS):
    """Mean over independent worlds with its 95 % t interval, and the gain over random choice, paired.

    Returns
    -------
    pandas.DataFrame
        predictor, selector, measured (share of the pool in the new context), error, low, high (over the training mean's
        of the whole pool), gain, gain_low, gain_high (random's error minus this one's), worlds.
    """
    each = pd.concat([errors_of_world(derive(SEED, "world", number)).assign(world=number) for number in range(worlds)])
    wide = each.pivot(index="world", columns=["predictor", "selector", "measured"], values="error")
    rows = []
    for key in wide:
        row = dict(zip(wide.columns.names, key, strict=True)) | {"error": wide[key].mean()}
        row["low"], row["high"] = mean_interval(wide[key])
        rival = (key[0], "random", key[2])
        if rival in wide and key[1] != "random":
            gained = wide[rival] - wide[key]
            row["gain"] = gained.mean()
            row["gain_low"], row["gain_high"] = mean_interval(gained)
        rows.append(row | {"worlds": worlds})
    table = pd.DataFrame(rows)
    numbers = ["error", "low", "high", "gain", "gain_low", "gain_high"]
    table[numbers] = table[numbers].round(4)
    return table[["predictor", "selector", "measured", *numbers, "worlds"]]


def page(table):
    """Markdown of the page: the answer, how it was made, the curves."""
    cells = table.set_index(["predictor", "selector", "measured"])
    model = "other_contexts_kernel"

    def shown(predictor, selector, share):
        row = cells.loc[(predictor, selector, share)]
        return f"{row['error']:.2f} ({row['low']:.2f} to {row['high']:.2f})"

    whole, alone = (cells.loc[key, "error"] for key in ((model, "random", 1.0), ("elsewhere alone", "none", 0.0)))
    room = cells.loc[(model, "random", MEASURED[0]), "error"] - whole
    clear = [
        f"with {100 * share:g} % {100 * row['gain'] / room:+.0f} % ({100 * row['gain_low'] / room:+.0f} to "
        f"{100 * row['gain_high'] / room:+.0f})"
        for share in MEASURED[:-1]
        for row in [cells.loc[(model, "v_optimal", share)]]
    ]
    lines = [
        "# How many perturbations must be measured in a new cell line?",
        "",
        f"With effects known in another line and all of the pool measured in the new one, {whole:.2f} of the training",
        f"mean's squared error is left; with a fifth measured at random {shown(model, 'random', 0.2)}. The other",
        f"line's effects taken as they are leave {alone:.2f}: they must be scaled, which a few measured ones teach.",
        "",
        "What V-optimal choice that knows the test names saves against random choice, in percent of what lies between",
        f"5 % and all measured: {'; '.join(clear)}.",
        "",
        f"{table['worlds'].max()} generated worlds of two contexts: 150 knock-downs, effects along the same",
        "programmes; strengths, off-target genes and part of the shifts are each context's own. Errors include the",
        "noise of what is measured, 0.3 of the effects' variance; intervals are over worlds. Predictors: ridge on the",
        "graph (`mean_kernel`), the scaled effect elsewhere (`other_contexts`), and both (`other_contexts_kernel`).",
        "Nothing is said of real lines: no two screens of the same perturbations were at hand. On your own, name the",
        "other screens by `screens.<screen>.contexts`.",
        "",
        "| measured | graph, random | elsewhere, random | both, random | both, V-optimal | both, for the list |",
        "|---|---|---|---|---|---|",
    ]
    columns = [("mean_kernel", "random"), ("other_contexts", "random")]
    columns += [(model, selector) for selector in ("random", "v_optimal", "v_optimal@list")]
    lines += [
        f"| {100 * share:g} % | {' | '.join(shown(*column, share) for column in columns)} |" for share in MEASURED
    ]
    lines += ["", "Table: [transfer_curve.tsv](transfer_curve.tsv), by `benchmarks/tools/transfer_curve.py`."]
    return "\n".join(lines) + "\n"


def main(folder):
    """Write the table and the page."""
    table = curve()
    write_table(table, Path(folder, "transfer_curve.tsv"))
    Path(folder, "transfer_curve.md").write_text(page(table), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])

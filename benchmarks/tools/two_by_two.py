"""The worth of the predictor and of the choice on real screens: old and new of each, in all four pairs.

`two_by_two.py DATA` reads the real data of `config/real_screen.yaml` under the folder DATA and writes
`docs/benchmark/design_two_by_two.tsv`, the table of `docs/benchmark/design.md`, and the evidence that designs quote
(`workflow/scripts/scarceseq/design/evidence.tsv`). About five minutes on one core; the same figures every time.

The task is that of a lab: of a pool, choose so many, predict the rest of it. Old predictor: `graph_ridge` on GO; new:
`mean_kernel` on GO and STRING. Choices of a budget: random, and V-optimal on GO and STRING. Each of 20 splits draws
80 % of the screen as its pool; intervals are t over splits with the corrected resampled variance, since splits share
perturbations.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import yaml

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

from scarceseq.design.choice import greedily
from scarceseq.network.build import build_graph
from scarceseq.network.graph import graph_from_edges
from scarceseq.perturbation import process
from scarceseq.perturbation.features import mean_kernel_features
from scarceseq.perturbation.predictors import graph_ridge, mean_kernel
from scarceseq.perturbation.prior import Prior
from scarceseq.screen.cell_normalisation import normalise_cells
from scarceseq.screen.prepare import prepare_screen
from scarceseq.screen.settings import ScreenSettings
from scarceseq.screen.symbols import current_symbols
from scarceseq.seeds import derive
from scarceseq.selection.cover import Limits
from scarceseq.selection.posterior import Posterior, error_curve
from scarceseq.statistics.intervals import corrected_interval

REPOSITORY = Path(__file__).parents[2]
SPLITS, POOL, DRAWS, SEED = 20, 0.8, 5, 20261120
SHARES = (0.1, 0.25, 0.5)
RESAMPLES = 2000
LEAST = 8  # perturbations of a budget


def settings():
    """The config of real screens, its paths within the folder of data."""
    text = (REPOSITORY / "config/real_screen.yaml").read_text().replace("{data}", sys.argv[1].rstrip("/"))
    return yaml.safe_load(text)


def graphs_of(config):
    """GO and STRING."""
    built = {}
    for name in ("go", "string"):
        graph = config["network"]["graphs"][name]
        defaults = {"min_jaccard": 0.1, "top_k": 20, "min_weight": 0, "directed": False}
        built[name] = graph_from_edges(build_graph(name, defaults | graph, {"table": graph["path"]})[0])
    return built


def profiles_of(name, config):
    """Differences to control of a screen, with the symbols of its perturbations; cells are normalised first."""
    entry = dict(config["screens"][name])
    path, table = entry.pop("path"), entry.pop("symbol_table", None)
    screen = ScreenSettings(**entry)
    with TemporaryDirectory() as folder:
        if screen.kind == "cells":
            cells = Path(folder) / "cells.h5ad"
            normalise_cells(path, cells, screen, current_symbols(table, screen))
            path = str(cells)
        return prepare_screen(name, path, screen, SEED, table)["profiles"]


def orders_of(features, most, seed):
    """V-optimal order of a pool and some random ones, each of the largest budget."""
    everyone = np.ones(features.shape[0])
    chosen, _ = greedily(Posterior(features, everyone, process.NOISE), len(everyone), Limits(budget=most))
    drawn = [
        np.random.default_rng(derive(seed, "draw", draw)).permutation(len(everyone))[:most] for draw in range(DRAWS)
    ]
    return {"v_optimal": [chosen], "random": drawn}


def whole_pool(delta, features):
    """Mean squared error of each perturbation when all others of the pool are measured: closed-form leave-one-out."""
    inverse = np.linalg.inv(process.kernel_between(features, range(len(delta)), range(len(delta))) + np.eye(len(delta)))
    return (((inverse @ delta) / np.diag(inverse)[:, None]) ** 2).sum(axis=1).mean()


def one_split(delta, names, graphs, split_seed):
    """Rows of one split: mean squared error of the rest over that of the mean effect, by budget, predictor, choice."""
    pool = np.sort(np.random.default_rng(split_seed).permutation(len(delta))[: round(POOL * len(delta))])
    delta, names = delta[pool], names[pool]
    prior = Prior(names, np.arange(delta.shape[1]).astype(str), graphs["go"], kernels=(graphs["go"], graphs["string"]))
    features = mean_kernel.prepare(prior)
    predictors = {"old": (graph_ridge, graph_ridge.prepare(prior)), "new": (mean_kernel, features)}
    scale = ((delta - delta.mean(axis=0)) ** 2).sum() / len(delta)
    sizes = sorted({max(LEAST, round(share * len(delta))) for share in SHARES})
    rows = []
    for choice, orders in orders_of(features, sizes[-1], split_seed).items():
        for order in orders:
            expected = error_curve(features, order, [], np.ones(len(delta)), process.NOISE)
            for size in sizes:
                train = np.sort(order[:size])
                rest = np.setdiff1d(np.arange(len(delta)), train)
                for name, (predictor, prepared) in predictors.items():
                    found = predictor.predict(predictor.fit(delta[train], train, prepared), rest)
                    error = ((found - delta[rest]) ** 2).sum() / len(rest) / scale
                    rows.append((size, name, choice, error, expected[size], len(delta)))
    table = pd.DataFrame(rows, columns=["budget", "predictor", "choice", "error", "expected", "pool"])
    keys = ["budget", "pool", "predictor", "choice"]
    return table.groupby(keys, as_index=False).mean().assign(whole=whole_pool(delta, features) / scale)


def summarise(splits, screen):
    """Means and intervals over splits: each pair's error, and what the choice saves under each predictor."""
    rows, evidence = [], []
    for (budget, pool, predictor), part in splits.groupby(["budget", "pool", "predictor"]):
        wide = part.pivot(index="split", columns="choice", values=["error", "expected"])
        ratio = (1 - POOL) / POOL
        random, chosen = wide["error", "random"], wide["error", "v_optimal"]
        row = {"screen": screen, "pool": pool, "budget": budget, "predictor": predictor}
        for name, values in (("random", random), ("v_optimal", chosen)):
            row |= dict(
                zip((name, f"{name}_low", f"{name}_high"), corrected_interval(values, ratio, 0.95)[:3], strict=True)
            )
        saved = corrected_interval(100 * (1 - chosen / random), ratio, 0.95)
        row["saved_percent"], row["saved_low"], row["saved_high"], _ = saved
        room = random - part.groupby("split")["whole"].first()
        row["share_of_room_percent"] = 100 * (random - chosen).mean() / room.mean() if room.mean() > 0 else np.nan
        rows.append(row)
        if predictor == "new":
            realised = corrected_interval(100 * (random - chosen), ratio, 0.95)
            predicted = 100 * (wide["expected", "random"] - wide["expected", "v_optimal"]).mean()
            evidence.append((screen, "go, string", len(wide), budget, pool, predicted, *realised[:3]))
    columns = ["screen", "graphs", "splits", "budget", "pool", "predicted", "realised", "low", "high"]
    return pd.DataFrame(rows), pd.DataFrame(evidence, columns=columns)


def string_channels(path):
    """STRING from its channels of experiments and databases alone, joined as STRING does: 1 - (1 - a)(1 - b)."""
    links = pd.read_csv(path)
    weight = 1 - (1 - links["experiments"] / 1000) * (1 - links["database"] / 1000)
    table = pd.DataFrame({"source": links["a"], "target": links["b"], "weight": weight})
    table = table[(weight > 0) & links["a"].notna() & links["b"].notna()]
    both = pd.concat([table, table.rename(columns={"source": "target", "target": "source"})])
    return graph_from_edges(both.groupby(["source", "target"], as_index=False)["weight"].max())


def sources_of(config, graphs, screens, name):
    """{what: sources of likeness}; profiles of other screens are embeddings of the genes that they perturbed."""
    strict = string_channels(config["network"]["graphs"]["string"]["path"])
    others = [
        pd.DataFrame(delta, index=genes)
        for other, (delta, genes) in screens.items()
        if other != name and not {other, name} <= {"k562", "k562_up"} and len(delta) > LEAST
    ]
    others = [table for table in others if len(table.index.intersection(screens[name][1])) > 1]
    return {
        "GO": [graphs["go"]],
        "STRING": [graphs["string"]],
        "GO, STRING": list(graphs.values()),
        "GO, STRING without co-expression": [graphs["go"], strict],
        "GO, STRING, other screens": [*graphs.values(), *others],
    }


def names_of(source):
    """Genes of a graph or an embedding."""
    return source.index if isinstance(source, pd.DataFrame) else source.nodes


def source_rows(config, graphs, screens, name):
    """Error of each perturbation when all others are measured, over that of the mean of the others; intervals over
    perturbations."""
    delta, genes = screens[name]
    mean = (((delta - delta.mean(axis=0)) * len(delta) / (len(delta) - 1)) ** 2).sum(axis=1)
    errors, covered = {}, {}
    for what, sources in sources_of(config, graphs, screens, name).items():
        last = sources[2:] or sources[-1:]  # the other screens, or the last graph
        covered[what] = int(np.any([np.isin(genes, names_of(source)) for source in last], axis=0).sum())
        features, everyone = mean_kernel_features(sources, genes), range(len(delta))
        inverse = np.linalg.inv(process.kernel_between(features, everyone, everyone) + np.eye(len(delta)))
        errors[what] = (((inverse @ delta) / np.diag(inverse)[:, None]) ** 2).sum(axis=1)
    draws = np.random.default_rng(derive(SEED, "sources", name)).integers(len(delta), size=(RESAMPLES, len(delta)))
    rows = []
    for what, error in errors.items():
        drawn = error[draws].sum(axis=1) / mean[draws].sum(axis=1)
        saved = 100 * (1 - error[draws].sum(axis=1) / errors["GO, STRING"][draws].sum(axis=1))
        row = {"screen": name, "perturbations": len(delta), "sources": what, "covered": covered[what]}
        row["error"] = error.sum() / mean.sum()
        row["low"], row["high"] = np.percentile(drawn, (2.5, 97.5))
        row["saved_percent"] = 100 * (1 - error.sum() / errors["GO, STRING"].sum())
        row["saved_low"], row["saved_high"] = np.percentile(saved, (2.5, 97.5))
        rows.append(row)
    return pd.DataFrame(rows)


def main():
    """All tables."""
    config = settings()
    graphs, tables, evidence, screens = graphs_of(config), [], [], {}
    for name in config["screens"]:
        profiles = profiles_of(name, config)
        screens[name] = np.asarray(profiles.X, dtype=float), profiles.obs_names.to_numpy(dtype=str)
    sources = pd.concat([source_rows(config, graphs, screens, name) for name in screens])
    print(sources.round(3).to_string(), flush=True)
    for name, (delta, names) in screens.items():
        parts = [
            one_split(delta, names, graphs, derive(SEED, "two by two", name, split)).assign(split=split)
            for split in range(SPLITS)
        ]
        table, found = summarise(pd.concat(parts), name)
        print(table.round(3).to_string(), flush=True)
        tables.append(table)
        if len(found) == len(SHARES):  # the middle budget; pools too small for three have none
            evidence.append(found.iloc[[1]])
    places = {"docs/benchmark/design_two_by_two.tsv": tables, "docs/benchmark/design_sources.tsv": [sources]}
    places["workflow/scripts/scarceseq/design/evidence.tsv"] = evidence
    for place, made in places.items():
        pd.concat(made).to_csv(REPOSITORY / place, sep="\t", index=False)


if __name__ == "__main__":
    main()

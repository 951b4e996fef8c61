"""The whole one-shot sweep on a real screen: every selector, six budgets, twenty splits, the simple predictors.

Bar: under 600 s on two cores, graph and screen being there, for 1,092 knock-downs in K562 cells and the Gene Ontology.
What is timed is what the rules do: rankings, learning curves (a process per split, two at a time) and scores.
Errors are compared with those of predictors trained plainly on the first genes of some rankings. The bar of --quick is
that of two splits, in proportion; what is done once weighs more there.
"""

import argparse
import json
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

# A thread per process, as Snakemake gives each job its threads; two processes of two threads each take several times as
# long on two cores, since threads that wait for each other spin.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

from scarceseq import registry
from scarceseq.config import selector_names
from scarceseq.network.graph import graph_from_edges
from scarceseq.network.kinds import annotation
from scarceseq.perturbation.prior import Prior
from scarceseq.screen.coordinates import read_coordinates
from scarceseq.screen.differential import no_differential_genes
from scarceseq.screen.settings import ScreenSettings
from scarceseq.screen.splits import split_perturbations
from scarceseq.selection.contrasts import contrast
from scarceseq.selection.fitting import fit_selection
from scarceseq.selection.rankings import rank_perturbations
from scarceseq.selection.scores import mean_rows, per_split, summarise, with_areas
from scarceseq.selection.settings import BudgetSettings, JudgementSettings, RankingSettings

BAR_S, SPLITS, DRAWS, SEED, CORES = 600, 20, 20, 1, 2
BUDGETS = BudgetSettings([5, 10, 20, 30, 50, 100], min_budget=10, model_seeds=1)
PREDICTORS = ("training_mean", "graph_ridge", "graph_pca_ridge", "graph_neighbours")
SELECTORS = selector_names.one_shot()


def read_world(folder, splits):
    """Screen (profiles, differential, splits) and graph from the folder of real data."""
    path = folder / "replogle/replogle_k562_pc9_delta.npz"
    settings = ScreenSettings("coordinates", transductive=True)
    profiles, _ = read_coordinates(str(path), settings, {})
    wanted = {"gene_column": "symbol", "term_column": "go_id", "excluded_evidence": [], "min_jaccard": 0.1, "top_k": 20}
    edges, _ = annotation.build(wanted, {"table": folder / "graphs/go_direct.csv.gz"})
    table = split_perturbations(profiles.obs_names, splits, 0.2, SEED)
    return {"profiles": profiles, "differential": no_differential_genes(), "splits": table}, graph_from_edges(edges)


def block(screen, graph, splits):
    """Rankings of all selectors, and learning curves of all predictors, on some splits."""
    part = screen | {"splits": screen["splits"][screen["splits"]["split"].isin(splits)]}
    settings, tables = RankingSettings(DRAWS, 1), []
    began = time.perf_counter()
    rankings = {
        where: rank_perturbations("k562", SELECTORS, part["splits"], given, (graph,), settings, SEED)[0]
        for where, given in (("go", graph), ("none", None))
    }
    ranked = time.perf_counter() - began
    for where, table in rankings.items():
        about = {"screen": "k562", "graph": where}
        tables += [fit_selection(about, name, part, table, graph, BUDGETS) for name in PREDICTORS]
    return pd.concat([mean_rows(table) for table in tables]), pd.concat(rankings.values()), ranked


def differences(scores, rankings, screen, graph, samples=40):
    """Largest relative difference of sampled errors to those of predictors trained plainly."""
    profiles, worst = screen["profiles"], 0.0
    names, delta = profiles.obs_names.to_numpy(dtype=str), np.asarray(profiles.X, dtype=float)
    sampled = scores[scores["metric"] == "mse"].sample(samples, random_state=SEED)
    prior = Prior(names, profiles.var_names.to_numpy(dtype=str), graph)
    features = {name: registry.load("perturbation.predictors", name).prepare(prior) for name in PREDICTORS}
    for row in sampled.itertuples():
        own = rankings[(rankings[["selector", "split", "draw"]] == [row.selector, row.split, row.draw]).all(axis=1)]
        chosen = np.flatnonzero(np.isin(names, own.loc[own["rank"] <= row.budget, "gene"]))
        splits = screen["splits"].query(f"split == {row.split} and role == 'test'")
        test = np.flatnonzero(np.isin(names, splits["perturbation"]))
        predictor = registry.load("perturbation.predictors", row.predictor)
        predicted = predictor.predict(predictor.fit(delta[chosen], chosen, features[row.predictor]), test)
        worst = max(worst, abs(((predicted - delta[test]) ** 2).mean() / row.value - 1))
    return worst


def main():
    """Print the table and the result; exit status 0 if the sweep is fast enough and right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two splits, and a bar in proportion")
    splits = 2 if parser.parse_args().quick else SPLITS
    home = Path(os.environ.get("SCARCESEQ_SHARED_DATA", Path(__file__).parents[2] / "shared/data"))
    if not home.is_dir():
        sys.exit(f"there is no folder {home}; set SCARCESEQ_SHARED_DATA to the folder of the real data")
    load = os.getloadavg()[0]
    screen, graph = read_world(home / "perturb", splits)
    began = time.perf_counter()
    with ProcessPoolExecutor(CORES, mp_context=get_context("fork")) as pool:
        parts = [pool.submit(block, screen, graph, [split]) for split in range(splits)]
        parts = [part.result() for part in parts]
    scores, rankings = (pd.concat([part[index] for part in parts], ignore_index=True) for index in (0, 1))
    values = with_areas(per_split(scores))
    summarise(values, 0.95)
    contrast(values, JudgementSettings(0.05, 0.95))
    seconds = time.perf_counter() - began
    worst, bar = differences(scores, rankings, screen, graph), BAR_S * splits / SPLITS
    fits = len(scores.drop_duplicates(["selector", "graph", "predictor", "split", "draw", "budget"]))
    print(
        f"{len(SELECTORS)} selectors, {splits} splits, {len(PREDICTORS)} predictors, {fits:,} errors: {seconds:.0f} s"
    )
    print(f"on {CORES} cores, bar {bar:.0f} s; {sum(part[2] for part in parts):.0f} s of it rankings; load {load:.1f}")
    print(f"largest relative difference to plain training: {worst:.1e}")
    detail = {"seconds": round(seconds, 1), "splits": splits, "selectors": len(SELECTORS), "predictors": PREDICTORS}
    detail |= {"random_draws": DRAWS, "errors": fits, "load_before": round(load, 1), "largest_difference": worst}
    ratio, equal = bar / seconds, bool(worst < 1e-9)
    result = {"name": "sweep", "ratio": round(ratio, 3), "target": 1, "equal": equal, "device": "cpu", "detail": detail}
    print(json.dumps(result))
    return 0 if ratio >= 1 and equal else 1


if __name__ == "__main__":
    sys.exit(main())

"""How many hits each acquisition function takes on real screens, round by round, as GeneDisco counts them.

`hits.py DATA` reads the real data of `config/real_screen.yaml` under the folder DATA and writes
`docs/benchmark/hits.tsv` and `hits.svg`, table and figure of `docs/benchmark/hits.md`, and the evidence that designs
quote (`workflow/scripts/scarceseq/design/hits_evidence.tsv`). About 20 minutes on one core; the same figures every
time.

A response is one number per perturbation; hits are the 5 % of the perturbations with the largest. All that the screen
has is the pool. The first batch is random, each of eight further batches is chosen by the responses so far, each of 4
% of the pool (Mehrjou et al. 2022: hit ratio over rounds). Graphs: GO and STRING. Beside the acquisition functions:
random batches, V-optimal batches (which look at no response), and the best function with the names of the genes
shuffled. All were fixed before the first run. Intervals: t over starts, of the mean over a screen's responses; they
hold for these screens and say nothing of others.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

sys.path.insert(0, str(Path(__file__).parent))

import two_by_two
from scarceseq.design.choice import greedily
from scarceseq.design.hits import ACQUISITIONS, Belief, choose_hits
from scarceseq.perturbation import process
from scarceseq.perturbation.features import mean_kernel_features
from scarceseq.report import style
from scarceseq.seeds import derive
from scarceseq.selection.cover import Limits
from scarceseq.selection.posterior import Posterior

STARTS, ROUNDS, BATCH, HITS, SEED = 10, 8, 0.04, 0.05, 20261128
LEAST = 5  # genes of a batch
READOUTS = 20
SHUFFLED = "upper_confidence_bound, names shuffled"
MODELS = [*ACQUISITIONS, SHUFFLED]
LOOKS = {
    "upper_confidence_bound": (style.BLUE, "-"),
    "expected_response": (style.GREEN, "-"),
    "expected_improvement": (style.ORANGE, "-"),
    "thompson": (style.PURPLE, "-"),
    "v_optimal": (style.BLACK, ":"),
    "random": (style.GREY, "--"),
}


def responses_of(data, config):
    """Yields (screen, what, names, one column per response); larger is better."""
    for name in ("k562", "adamson", "tian", "k562_up"):
        profiles = two_by_two.profiles_of(name, config)
        delta, genes = np.asarray(profiles.X, dtype=float), profiles.obs_names.to_numpy(dtype=str)
        if name == "k562_up":  # the readout genes that vary most; a perturbed gene is no readout of itself
            most = np.argsort(-delta.var(axis=0), kind="stable")[:READOUTS]
            yield name, f"rise of {READOUTS} readout genes, one by one", genes, delta[:, most]
            continue
        yield name, "strength of the effect", genes, np.linalg.norm(delta, axis=1)[:, None]
        if name == "k562":
            raw = np.load(data / "perturb/replogle/replogle_k562_pc9_delta.npz")
            given = {gene: place for place, gene in enumerate(raw["perturbation"])}
            kept = [place for place, gene in enumerate(genes) if gene in given]
            cells = raw["rel_cells"][[given[genes[place]] for place in kept]]
            yield name, "loss of cells", genes[kept], -np.log(cells.astype(float))[:, None]
            yield name, "both ends of nine coordinates, one by one", genes, np.hstack([delta, -delta])


def next_batch(method, features, shuffled, measured, response, size, seed):
    """The genes that a method takes after those measured."""
    limits = Limits(budget=size, measured=tuple(measured))
    if method == "random" or (method in MODELS and np.ptp(response[measured]) == 0):  # nothing to learn from yet
        free = np.setdiff1d(np.arange(len(response)), measured)
        return np.random.default_rng(derive(seed, "random")).permutation(free)[:size]
    if method == "v_optimal":
        posterior = Posterior(features, np.ones(len(response)), process.NOISE)
        return greedily(posterior, len(response), limits)[0]
    belief = Belief(shuffled if method == SHUFFLED else features, measured, response[measured])
    return choose_hits(belief, method.split(",")[0], limits, seed)[0]


def one_start(features, response, start_seed):
    """Rows of one start: share of the hits taken, by method and round."""
    size = max(LEAST, round(BATCH * len(response)))
    wanted = max(1, round(HITS * len(response)))
    hits = set(np.argsort(-response, kind="stable")[:wanted])
    random = np.random.default_rng(derive(start_seed, "start"))
    first = random.permutation(len(response))[:size]
    shuffled = features[random.permutation(len(response))]
    rows = []
    for method in ("random", "v_optimal", *MODELS):
        measured = first
        for number in range(ROUNDS):
            seed = derive(start_seed, method, number)
            more = next_batch(method, features, shuffled, measured, response, size, seed)
            measured = np.concatenate([measured, more])
            rows.append((method, number + 1, len(measured), len(hits & set(measured)) / wanted))
    return pd.DataFrame(rows, columns=["method", "round", "measured", "hit_ratio"])


def interval(values):
    """Mean and 95% t interval."""
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return values.mean(), values.mean() - half, values.mean() + half


def summarise(table, screen, what):
    """Means and intervals over starts of each method's hit ratio at each round, and against random and V-optimal."""
    by_start = table.groupby(["method", "round", "measured", "start"], as_index=False)["hit_ratio"].mean()
    wide = by_start.pivot(index=["round", "measured", "start"], columns="method", values="hit_ratio")
    final = table[table["round"] == ROUNDS].groupby(["response", "method"])["hit_ratio"].mean().unstack()
    rows = []
    for (number, measured), part in wide.groupby(["round", "measured"]):
        for method in part:
            row = {"screen": screen, "response": what, "round": number, "measured": measured, "method": method}
            row |= dict(zip(("hit_ratio", "low", "high"), interval(part[method]), strict=True))
            if method != "random":
                names = ("against_random", "against_random_low", "against_random_high")
                row |= dict(zip(names, interval(part[method] - part["random"]), strict=True))
            if number == ROUNDS:
                row["responses"], row["ahead_of_random"] = len(final), int((final[method] > final["random"]).sum())
            rows.append(row)
    return pd.DataFrame(rows)


@style.styled
def figure(whole):
    """Hit ratio by share of the pool that is measured, a panel for each kind of response."""
    kinds = list(whole.groupby(["screen", "response"], sort=False))
    drawn, axes = style.figure(10.0, 6.4, columns=3, rows=2)
    for ax, ((screen, what), part) in zip(axes.flat, kinds, strict=True):
        for method, (color, dashes) in LOOKS.items():
            rows = part[part["method"] == method]
            share = 100 * rows["measured"] / rows["pool"]
            ax.plot(share, 100 * rows["hit_ratio"], color=color, ls=dashes, label=method.replace("_", " "))
        ax.set_title(f"{screen}: {what.removesuffix(', one by one')}", fontsize=8.5)
        ax.set_xlabel("measured, % of the screen")
        ax.set_ylabel("hits measured, %")
        ax.set_ylim(0, 100)
        ax.grid(True)
    axes.flat[0].legend(loc="upper left", fontsize=7)
    return drawn


def main():
    """The table, the figure and the evidence."""
    data, config = Path(sys.argv[1]), two_by_two.settings()
    graphs = list(two_by_two.graphs_of(config).values())
    made = []
    for screen, what, genes, responses in responses_of(data, config):
        features = mean_kernel_features(graphs, genes)
        tables = [
            one_start(features, response, derive(SEED, screen, start)).assign(start=start, response=column)
            for column, response in enumerate(responses.T)
            for start in range(STARTS)
        ]
        table = summarise(pd.concat(tables), screen, what).assign(pool=len(genes))
        shown = [
            "method",
            "hit_ratio",
            "against_random",
            "against_random_low",
            "against_random_high",
            "ahead_of_random",
        ]
        print(screen, what, len(genes), table.loc[table["round"] == ROUNDS, shown].round(3).to_string(), flush=True)
        made.append(table)
    whole = pd.concat(made, ignore_index=True)
    whole.to_csv(two_by_two.REPOSITORY / "docs/benchmark/hits.tsv", sep="\t", index=False, float_format="%.4f")
    drawing = two_by_two.REPOSITORY / "docs/benchmark/hits.svg"
    drawing.write_text(style.svg(figure(whole), "hits"), encoding="utf-8")
    last = whole[whole["round"] == ROUNDS].drop(columns="round")
    place = two_by_two.REPOSITORY / "workflow/scripts/scarceseq/design/hits_evidence.tsv"
    last.to_csv(place, sep="\t", index=False, float_format="%.4f")


if __name__ == "__main__":
    main()

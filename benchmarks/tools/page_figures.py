"""A figure for each page on screens in `docs/benchmark`, from the table beside it: `page_figures.py [NAME...]`.

Writes NAME.svg beside NAME.md, and shows it behind the page's first paragraph unless the page does so already. Nothing
is computed: means and intervals are those of the tables.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

from scarceseq.report import style
from scarceseq.report.forest import forest_figure

FOLDER = Path(__file__).parents[2] / "docs/benchmark"
SCREENS = {"k562": "K562", "k562_up": "K562, lists", "adamson": "Adamson", "tian": "Tian", "papalexi": "Papalexi"}
SCREENS |= {"norman": "Norman"}


def table(name):
    """A kept table."""
    return pd.read_csv(FOLDER / f"{name}.tsv", sep="\t")


def forest(rows, names, columns, label):
    """Estimates with their intervals; `columns` are the mean, low and high of a table."""
    rows = rows.rename(columns=dict(zip(columns, ("difference", "low", "high"), strict=True)))
    return forest_figure(rows, names, label)


def lines(ax, x, rows, columns, label, look):
    """A line with its interval as a band."""
    mean, low, high = (rows[name].to_numpy(float) for name in columns)
    ax.plot(x, mean, marker="o", ms=3.5, label=label, **look)
    ax.fill_between(x, low, high, alpha=0.15, lw=0, color=look["color"])


def design():
    """What V-optimal choice saves on each real screen under the new predictor."""
    rows = table("design_two_by_two").query("predictor == 'new'")
    names = [f"{SCREENS[row.screen]}, {row.budget} of {row.pool}" for row in rows.itertuples()]
    columns = ("saved_percent", "saved_low", "saved_high")
    return forest(rows, names, columns, "error saved by V-optimal choice against random, %")


def predictors():
    """Squared error of each predictor over that of the training mean, a panel for each screen."""
    rows = table("predictors_summary").query("metric == 'mse' and status == 'run'")
    rows = rows[rows["predictor"] != "training_mean"]
    drawn, axes = style.figure(11.0, 7.0, rows=2, columns=3)
    for ax, (screen, part) in zip(axes.flat, rows.groupby("screen"), strict=True):
        part = part.sort_values(["predictor", "source"], ascending=False).reset_index()
        names = [
            f"{p.replace('_', ' ')}{'' if s == 'none' else f' ({s})'}" for p, s in part[["predictor", "source"]].values
        ]
        for place, row in enumerate(part.itertuples()):
            ax.plot([row.relative_low, row.relative_high], [place, place], color=style.BLUE, lw=2, alpha=0.5)
            ax.plot(row.relative, place, "o", ms=4, color=style.BLUE)
        ax.axvline(1, color=style.GREY, lw=0.8)
        ax.set_yticks(range(len(names)), names, fontsize=6)
        ax.set_title(SCREENS[screen], fontsize=9)
        ax.set_xlabel("squared error / that of the training mean", fontsize=7.5)
        ax.set_xlim(0.3, 2.2)
    return drawn


def learning_curves(name, screens, graph, selectors):
    """Squared error by budget, over that of the training mean of the whole pool; random choice beside it."""
    rows = table(name).query("quantity == 'budget' and metric == 'mse'")
    drawn, axes = style.figure(3.6 * len(screens) + 1, 3.4, columns=len(screens))
    for ax, screen in zip(axes.flat, screens, strict=True):
        for place, selector in enumerate(selectors):
            part = rows[(rows["screen"] == screen) & (rows["selector"] == selector)]
            part = part[part["graph"].isin([graph, "none"])].sort_values("budget")
            floor = part["floor"].to_numpy(float)
            shares = part.assign(**{key: part[key] / floor for key in ("mean", "low", "high")})
            look = {"color": style.GREY if selector == "random" else style.PALETTE[place]}
            lines(ax, part["budget"], shares, ("mean", "low", "high"), selector.replace("_", " "), look)
        ax.set_title(SCREENS[screen], fontsize=9)
        ax.set_xlabel("perturbations measured")
        ax.set_ylabel("squared error / that of the mean")
        style.logarithmic(ax)
        ax.grid(True)
    axes.flat[0].legend(fontsize=6.5)
    return drawn


def selection():
    """Learning curves on three real screens."""
    chosen = ("random", "v_optimal", "reach@usage", "degree", "k_center")
    return learning_curves("selection_summary", ("k562", "k562_up", "adamson"), "go", chosen)


def iterpert():
    """Learning curves in IterPert's setting."""
    return learning_curves("iterpert_summary", ("k562",), "go", ("random", "iterpert", "bald", "bait", "reach@usage"))


def one_shot_ridge():
    """Gain of each selector, on the graph as it is and on the twin."""
    rows = table("one_shot_ridge").query("metric == 'mse' and graph in ('annotation', 'annotation_shuffled')")
    rows = rows[rows["budget"].isna()].sort_values(["screen", "gain"], ascending=[True, False])
    where = {"demo": "", "twin": ", twin without signal"}
    names = [row.selector.replace("_", " ").replace("@", " on ") + where[row.screen] for row in rows.itertuples()]
    return forest(rows, names, ("gain", "low", "high"), "gain against random choice, % of what can be gained")


def transfer_curve():
    """Error left in a new context, by the share of perturbations that is measured in it."""
    rows = table("transfer_curve")
    drawn, axes = style.figure(6.5, 3.6)
    shown = {
        ("mean_kernel", "random"): "graph, random",
        ("other_contexts", "random"): "elsewhere, random",
        ("other_contexts_kernel", "random"): "both, random",
        ("other_contexts_kernel", "v_optimal"): "both, V-optimal",
    }
    for place, ((predictor, selector), label) in enumerate(shown.items()):
        part = rows[(rows["predictor"] == predictor) & (rows["selector"] == selector)].sort_values("measured")
        look = {"color": style.PALETTE[place]}
        lines(axes[0, 0], 100 * part["measured"], part, ("error", "low", "high"), label, look)
    axes[0, 0].set_xlabel("measured in the new context, %")
    axes[0, 0].set_ylabel("squared error / that of the mean")
    axes[0, 0].grid(True)
    axes[0, 0].legend(fontsize=7.5)
    return drawn


def planner():
    """What is foretold beside what came of it, for reliability and power."""
    rows = table("planner_real_cells")
    drawn, axes = style.figure(8.6, 3.8, columns=2)
    kinds = (
        ("reliability of a mean profile", rows.query("quantity == 'reliability'"), "pilot"),
        ("power, Papalexi", rows.query("pilot == 'controls' and quantity != 'screen, nothing'"), "quantity"),
    )
    for ax, (title, part, by) in zip(axes.flat, kinds, strict=True):
        ax.plot([0, 1], [0, 1], color=style.GREY, lw=0.8)
        for place, (label, some) in enumerate(part.groupby(by)):
            error = np.abs(np.stack([some["realised"] - some["low"], some["high"] - some["realised"]]))
            look = {"color": style.PALETTE[place], "fmt": "o", "ms": 4, "lw": 1}
            ax.errorbar(some["predicted"], some["realised"], yerr=error, label=label, **look)
        ax.set_title(title, fontsize=9)
        ax.set_xlabel("foretold")
        ax.set_ylabel("came of it")
        ax.legend(fontsize=7)
    return drawn


FIGURES = (design, predictors, selection, iterpert, one_shot_ridge, transfer_curve, planner)


def show(name, caption):
    """Put the figure behind the first paragraph of its page."""
    page = FOLDER / f"{name}.md"
    title, lead, rest = page.read_text(encoding="utf-8").split("\n\n", 2)
    if f"({name}.svg)" not in lead + rest:
        page.write_text(f"{title}\n\n{lead}\n\n![{caption}]({name}.svg)\n\n{rest}", encoding="utf-8")


def main(*names):
    """Draw all, or those named."""
    for figure in FIGURES:
        name = figure.__name__
        if not names or name in names:
            drawing = style.svg(style.styled(figure)(), name)
            (FOLDER / f"{name}.svg").write_text(drawing, encoding="utf-8")
            show(name, figure.__doc__.rstrip("."))


if __name__ == "__main__":
    main(*sys.argv[1:])

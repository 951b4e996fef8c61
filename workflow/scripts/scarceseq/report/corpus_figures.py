"""Figures of the corpus: depth, what was dropped, maps of samples."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scarceseq.report import style
from scarceseq.report.value_text import missing
from scarceseq.report.wording import count, words

UNIT_WORDS = {"base_coverage": "bases covered", "read_counts": "reads counted"}
MOST_COLOURS = 8
BINS = 30


@dataclass(frozen=True)
class Panel:
    """What the samples of a map are coloured by.

    `values`: of each sample, missing allowed. `colours`: of the values, in the order of the legend; without them the
    most frequent values get the palette.
    """

    title: str
    values: pd.Series
    colours: dict | None = None


@style.styled
def depth_figure(samples: pd.DataFrame, runs: pd.DataFrame) -> Figure:
    """Histograms of library size (by unit, logarithmic), of genes detected per sample, and of runs per study.

    `samples`: library_size, genes_detected, unit; `runs`: runs (looked at) and kept, by study.
    """
    drawn, [[depth, genes, sizes]] = style.figure(8.6, 2.9, columns=3)
    edges = _logarithmic_bins(samples["library_size"])
    for colour, (unit, group) in zip(style.PALETTE, samples.groupby("unit", sort=True, observed=True), strict=False):
        label = UNIT_WORDS.get(unit, words(unit))
        bars = depth.hist(group["library_size"], bins=edges, color=colour, alpha=0.8, label=label)[-1]
        style.tell_bins(bars, ("sample", "samples"), f"{{}} {label}")
    style.logarithmic(depth)
    unit = label if samples["unit"].nunique() == 1 else "bases or reads, see legend"
    depth.set(xlabel=unit, ylabel="samples", title="Library size")
    if samples["unit"].nunique() > 1:
        depth.legend(loc="best")
    bars = genes.hist(samples["genes_detected"], bins=BINS, color=style.BLUE, alpha=0.8)[-1]
    style.tell_bins(bars, ("sample", "samples"), "{} genes above zero")
    genes.set(xlabel="genes above zero", ylabel="samples", title="Genes detected")
    style.plain_ticks(genes.xaxis)
    edges = _logarithmic_bins(runs["runs"], bins=15)
    bars = sizes.hist(runs["runs"], bins=edges, color=style.LIGHT, label="looked at")[-1]
    style.tell_bins(bars, ("study", "studies"), "{} runs looked at", whole=True)
    kept = runs.loc[runs["kept"] > 0, "kept"]
    outline = sizes.hist(kept, bins=edges, histtype="step", color=style.BLUE, linewidth=1.6, label="kept")[-1]
    style.tell(outline, f"runs kept: {count(len(kept), 'study', 'studies')}")
    style.logarithmic(sizes)
    sizes.yaxis.get_major_locator().set_params(integer=True)
    sizes.set(xlabel="runs of a study", ylabel="studies", title="Runs per study")
    sizes.legend(loc="best")
    return drawn


def _logarithmic_bins(values: pd.Series, bins: int = BINS) -> np.ndarray | list[float]:
    positive = values.to_numpy(dtype=float)
    positive = positive[positive > 0]
    return np.geomspace(positive.min() * 0.95, positive.max() * 1.05, bins + 1) if len(positive) else [1.0, 10.0]


@style.styled
def dropped_figure(reasons: pd.DataFrame) -> Figure:
    """Bars of the runs dropped for each reason (meaning, runs, studies), most at the top."""
    drawn, [[ax]] = style.figure(8.0, 0.9 + 0.27 * len(reasons))
    places = np.arange(len(reasons))
    bars = ax.barh(places, reasons["runs"], color=style.BLUE, alpha=0.8, height=0.7)
    for place, bar, row in zip(places, bars, reasons.itertuples(), strict=True):
        text = f"{count(row.runs, 'run')} of {count(row.studies, 'study', 'studies')}"
        style.tell(bar, f"{row.meaning}: {text}")
        ax.annotate(text, (row.runs, place), (4, 0), textcoords="offset points", va="center", fontsize=8)
    ax.set_yticks(places, reasons["meaning"])
    ax.set(xlabel="runs", xlim=(0, reasons["runs"].max() * 1.25))
    ax.invert_yaxis()
    style.plain_ticks(ax.xaxis)
    return drawn


@style.styled
def map_figure(places: np.ndarray, names: list[str], panels: list[Panel], samples: Iterable[str]) -> Figure:
    """Scatter plots of samples on two axes, one for each way of colouring them; each tells its values in all panels.

    `places` is (samples, 2), `names` are those of the axes; panels and `samples`' names are in the order of `places`.
    """
    shown = zip(samples, *(panel.values for panel in panels), strict=True)
    texts = np.array([f"{name}: {', '.join(str(v) for v in values if not missing(v))}" for name, *values in shown])
    columns = 2 if len(panels) == 4 else min(len(panels), 3)
    rows = -(-len(panels) // columns)
    drawn, axes = style.figure(3.1 * columns, 4.2 * rows, rows=rows, columns=columns, sharex=True, sharey=True)
    for ax in axes.ravel()[len(panels) :]:
        ax.set_axis_off()
    for ax, panel in zip(axes.ravel(), panels, strict=False):
        _scatter(ax, places, panel.values.reset_index(drop=True), panel.colours, texts)
        ax.set(xlabel=names[0], title=panel.title)
        ax.tick_params(labelbottom=True)
    for ax in axes[:, 0]:
        ax.set_ylabel(names[1])
    return drawn


def _scatter(ax: Axes, places: np.ndarray, values: pd.Series, colours: dict | None, texts: np.ndarray) -> None:
    frequent = values.value_counts(sort=True).index[:MOST_COLOURS]
    named = list(frequent) if colours is None else [name for name in colours if name in set(values)]
    rest = ~values.isin(named).to_numpy()
    if rest.any():
        text = f"others ({rest.sum():,})"
        points = ax.scatter(*places[rest].T, s=7, color=style.LIGHT, linewidths=0, label=text)
        style.tell(points, text, texts[rest])
    for place, name in enumerate(named):
        chosen = (values == name).to_numpy()
        colour = colours[name] if colours else style.PALETTE[place % len(style.PALETTE)]
        marker = style.MARKERS[place % len(style.MARKERS)]
        text = f"{name} ({chosen.sum():,})"
        look: dict[str, Any] = {"color": colour, "marker": marker, "linewidths": 0, "alpha": 0.8}
        style.tell(ax.scatter(*places[chosen].T, s=12, label=text, **look), text, texts[chosen])
    look = {"ncols": 2, "handletextpad": 0.1, "columnspacing": 0.8, "fontsize": 7.5}
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), **look)

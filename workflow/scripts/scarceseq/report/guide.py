"""Guide: which weights the scouts moved, how well the scouts did, and which genes are the most and least mobile."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from scarceseq.report import style
from scarceseq.report.blocks import Paragraph, Picture, Section, Table
from scarceseq.report.inputs import Inputs
from scarceseq.report.value_text import text_of
from scarceseq.report.wording import words

GENES_SHOWN = 15
PANELS_PER_ROW = 3


@style.styled
def distribution_figure(guides: dict[str, dict[str, dict[str, Any]]]) -> Figure:
    """Distribution of guide values: one panel per guide, one strip per weight tensor.

    `guides`: title to tensor name to its description: histogram (counts of equal bins over 0 to 1), quantiles.
    """
    names = list(dict.fromkeys(name for tensors in guides.values() for name in tensors))
    columns = min(len(guides), PANELS_PER_ROW)
    rows = -(-len(guides) // columns)
    size = 2.4 + 3.2 * columns, rows * max(2.6, 1.3 + 0.28 * len(names))
    drawn, axes = style.figure(*size, rows=rows, columns=columns, sharey=True, sharex=True)
    for ax in axes.flat[len(guides) :]:
        ax.set_visible(False)
    for ax, (title, tensors) in zip(axes.flat, guides.items(), strict=False):
        for place, name in enumerate(names):
            if name in tensors:
                shades = _strip(ax, place, name, tensors[name])
        ax.set(xlabel="guide value (0 stays, 1 moves freely)", title=title, xlim=(-0.02, 1.02))
    axes[0, 0].set_yticks(range(len(names)), names)
    axes[0, 0].set_ylim(len(names) - 0.4, -0.6)
    bar = drawn.colorbar(shades, ax=axes, ticks=[0.001, 0.01, 0.1, 1], format=style.plain_number, pad=0.02)
    bar.set_label("share of the tensor's weights")
    bar.minorticks_off()
    return drawn


def _strip(ax: Axes, place: int, name: str, tensor: dict[str, Any]) -> QuadMesh:
    counts = np.asarray(tensor["histogram"], float)
    share = np.where(counts > 0, counts / max(counts.sum(), 1), np.nan)
    edges = np.linspace(0, 1, len(counts) + 1)
    shades = ax.pcolormesh(edges, [place - 0.42, place + 0.42], share[None, :], cmap="Blues", norm=LogNorm(0.001, 1))
    low, middle, high = (tensor["quantiles"][level] for level in ("0.25", "0.5", "0.75"))
    line = ax.plot([low, high], [place, place], color=style.ORANGE, lw=2.5, solid_capstyle="butt")
    dot = ax.plot([middle], [place], marker="o", ms=5, color=style.ORANGE, mec="white", mew=0.8)
    text = f"{name}: median {text_of(middle)}, middle half {text_of(low)} to {text_of(high)}"
    style.tell([shades, *line, *dot], text)
    return shades


@style.styled
def accuracy_figure(accuracy: pd.DataFrame) -> Figure:
    """Histogram of the scouts' held-out accuracy, kept and dropped ones apart."""
    drawn, [[ax]] = style.figure(5.2, 2.8)
    kept = accuracy["kept"].astype(bool)
    groups = [accuracy.loc[flag, "held_out_accuracy"] for flag in (kept, ~kept)]
    look = {"color": [style.BLUE, style.ORANGE], "label": [f"kept ({kept.sum():,})", f"dropped ({(~kept).sum():,})"]}
    stacked = ax.hist(groups, bins=np.linspace(0, 1, 21), stacked=True, **look)[-1]
    for bars, which in zip(stacked, ("kept", "dropped"), strict=True):
        style.tell_bins(bars, (f"scout {which}", f"scouts {which}"), "accuracy {}")
    style.tell(ax.axvline(0.5, color=style.BLACK, lw=0.9, ls=":", label="chance"), "chance: 0.50")
    ax.set(xlabel="accuracy on held-out samples", ylabel="scouts", xlim=(0, 1))
    ax.legend(loc="upper left")
    return drawn


def extremes(mobility: pd.DataFrame, shown: int = GENES_SHOWN) -> pd.DataFrame:
    """The most and the least mobile genes side by side.

    `mobility`: gene_id, gene_name, mobility, rank (1: most mobile), of one base and scheme.
    """
    ordered = mobility.sort_values("rank")
    most, least = ordered.head(shown), ordered.tail(shown).iloc[::-1]
    columns = {"most mobile": most["gene_name"], "mobility": most["mobility"]}
    columns |= {"least mobile": least["gene_name"], "mobility ": least["mobility"]}
    return pd.DataFrame({title: column.to_numpy() for title, column in columns.items()})


def descriptions(values: list[tuple[Mapping[str, str], Any]]) -> dict[str, dict[str, dict[str, Any]]]:
    """Description of each guide's tensors from its JSON file, by a title for the panel."""
    return {f"{words(of['guide'])} ({of['base']}, {words(of['scheme'])})": value["layers"] for of, value in values}


def perfect_scouts(accuracy: pd.DataFrame) -> list[str]:
    """Sentences on schemes of which all scouts are right on every held-out sample.

    `accuracy`: base, scheme, held_out_accuracy.
    """
    return [
        f"All {len(rows):,} scouts of {words(scheme)} (base {base}) are right on every sample that they did not see: "
        "tasks as easy as theirs hardly tell which weights matter."
        for (base, scheme), rows in accuracy.groupby(["base", "scheme"], sort=True)
        if len(rows) > 1 and (rows["held_out_accuracy"] == 1).all()
    ]


def section(inputs: Inputs) -> Section | None:
    """Section of the page, or None if no guide was made."""
    if not inputs.has("guide_json"):
        return None
    blocks: list = []
    if inputs.has("scout_accuracy"):
        accuracy = inputs.stacked("scout_accuracy")
        kept = accuracy["kept"].astype(bool)
        text = (
            f"{kept.sum():,} of {len(accuracy):,} scouts were kept; their mean accuracy on held-out samples is "
            f"{accuracy.loc[kept, 'held_out_accuracy'].mean():.2f} (chance: 0.50)."
        )
        blocks += [Paragraph(text), *(Paragraph(text, "finding") for text in perfect_scouts(accuracy))]
    blocks.append(_distribution_picture(descriptions(inputs.values("guide_json"))))
    if inputs.has("scout_accuracy"):
        blocks += [_accuracy_picture(accuracy), Table("guide_scouts", accuracy, "All scouts")]
    if inputs.has("gene_mobility"):
        blocks += _mobility_tables(inputs.stacked("gene_mobility"))
    return Section("guide", "Guide", blocks)


def _distribution_picture(guides: dict[str, dict[str, dict[str, Any]]]) -> Picture:
    tensors = len(next(iter(guides.values())))
    return Picture(
        "guide_distributions",
        distribution_figure(guides),
        "Distribution of guide values by weight tensor",
        "Each strip is one weight tensor of the encoder: the darker, the more of its weights have that guide value; "
        "the dot is the median, the line the middle half. The guide multiplies the step of every weight during "
        "fine-tuning: 0 keeps the weight where pre-training left it, 1 lets it move freely. Per tensor, each tensor is "
        "scaled to the range 0 to 1 by itself; globally, all share one scale.",
        f"{tensors:,} tensors in each guide.",
        "A few very mobile weights set the scale of all others: nearly everything at 0 can mean one outlying weight "
        "rather than rigid layers. First-layer values follow how much genes vary, scouts or not; the control guides of "
        "the few-shot comparison tell the two apart.",
    )


def _accuracy_picture(accuracy: pd.DataFrame) -> Picture:
    return Picture(
        "guide_scout_accuracy",
        accuracy_figure(accuracy),
        "How well the scouts learnt",
        "Each scout is a small two-class task between clusters of samples, learnt from the same base weights. The bars "
        "count scouts by their accuracy on samples that they did not see.",
        f"{len(accuracy):,} scouts.",
        "Scouts that learn nothing move weights at random and blur the guide; scouts that are all perfect are too easy "
        "to tell which weights matter.",
    )


def _mobility_tables(mobility: pd.DataFrame) -> list[Table]:
    tables = []
    for (base, scheme), rows in mobility.groupby(["base", "scheme"], sort=True):
        title = f"Most and least mobile genes ({base}, {words(scheme)})"
        note = f"Mobility: mean guide value of the weights that lead from a gene into the encoder; {len(rows):,} genes."
        tables.append(Table(f"guide_mobility_{base}_{scheme}", rows, title, note, shown=extremes(rows)))
    return tables

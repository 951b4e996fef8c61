"""The page and the figure of `spaceflight.py`, made from its tables."""

import pandas as pd
from matplotlib.figure import Figure
from scarceseq.report import style
from spaceflight_scores import ALL, CONTROLS, GUIDED, PRIMARY, REFERENCE
from spaceflight_tables import TISSUES

AIM = 0.761
ABSENT = (
    "Not run yet, for want of time: the networks and their guides. These tables are of the same command with\n"
    "  `classifiers` after it; without that word it makes what is missing."
)
NOT_RUN = "The networks, and so the guide and its controls, have not been run yet."
PAGE = """# Spaceflight, told by gene sets

{answer}

What is asked, and how, was written before any score: [protocol](spaceflight_protocol.md). Tables, figure and page by
`python benchmarks/tools/spaceflight.py ../shared/data/studies/genesets results/spaceflight docs/benchmark`.
A mission is left out of all tissues, of choices, pre-training and scouts. The primary model, `average`, is the mean of
five classifiers' ranks, fixed beforehand; every other row is secondary.

![AUROC by tissue](spaceflight.svg)

AUROC, mean over missions, with 95 % intervals; the public columns are the best simple model of each tissue on
genes and on 50 Hallmark sets (github.com/jang1563/GeneLab_benchmark, March 2026; {genes} tissues have genes):

{tissues}

Over six tissues, against `ridge` on the same missions (jackknife over eight groups of missions):

{methods}

{guides}

## How far it carries

- **Transductive.** The source scored the samples of a table together, test tables too, and each set is scaled within
  its table. No label is seen; but one new mouse alone could not be scored so.
- The public figures are the best of several models, chosen after the fact, of folds that leave a mission out of one
  tissue. They stand beside ours, on nearly the same samples.
- The eye table of unknown mission (OSD-397) has the animal numbers, age and groups of RR-1: it is left out with
  RR-1. Where it is not, the same mice may be on both sides. Eye then has one training mission.
- MHU-1 and MHU-2 were scored together, and are left out together.
- {missions} missions in tissues, three to six each, in eight groups: intervals are wide. Folds share training
  tables, so they are approximate. Of what is drawn, {seeds} seeds are averaged.
- Worst mission in a tissue: {worst}; best: {best}.
- {missing}
- By mission, method and seed: [spaceflight.tsv](spaceflight.tsv).
- Means and intervals: [spaceflight_summary.tsv](spaceflight_summary.tsv).
"""


def row_of(table: pd.DataFrame, method: str, tissue: str = ALL, against: str = "") -> "pd.Series | None":
    """One row of the summary, or None."""
    chosen = (table["method"] == method) & (table["tissue"] == tissue) & (table["against"] == against)
    return table[chosen].iloc[0] if chosen.any() else None


def answer(table: pd.DataFrame) -> str:
    """The first sentence: is the primary above the public mean?"""
    row = row_of(table, PRIMARY)
    where = "above" if row.value > AIM else "not above"
    told = "told from it" if row.low > AIM or row.high < AIM else "not told from it"
    return (
        "Trained on other missions, the model fixed beforehand tells flight from ground at a mean AUROC of\n"
        f"{row.value:.3f} over six tissues ({row.low:.3f} to {row.high:.3f}), {where} the public mean for gene sets, "
        f"{AIM:.3f}, and {told}."
    )


def cell(row: "pd.Series | None") -> str:
    """Value and interval."""
    return "-" if row is None else f"{row.value:.3f} ({max(row.low, 0):.3f} to {min(row.high, 1):.3f})"


def change(row: "pd.Series") -> str:
    """Difference and interval."""
    return f"{row.value:+.3f} ({row.low:+.3f} to {row.high:+.3f})"


def figure_or_dash(value: float) -> str:
    """A public figure."""
    return "-" if pd.isna(value) else f"{value:.3f}"


def tissue_table(table: pd.DataFrame) -> str:
    """The primary by tissue beside both public columns."""
    lines = [
        "| tissue | missions | `average` | `ridge` | public, genes | public, gene sets |",
        "|---|---|---|---|---|---|",
    ]
    for tissue in [*TISSUES, ALL]:
        row, other = row_of(table, PRIMARY, tissue), row_of(table, REFERENCE, tissue)
        public = f"{figure_or_dash(row.public_genes)} | {figure_or_dash(row.public_gene_sets)}"
        lines.append(f"| {tissue} | {row.missions} | {cell(row)} | {other.value:.3f} | {public} |")
    return "\n".join(lines)


def method_table(table: pd.DataFrame) -> str:
    """Each method over six tissues, the highest first."""
    rows = table[(table["tissue"] == ALL) & (table["against"] == "")].sort_values("value", ascending=False)
    lines = ["| method | AUROC | difference to `ridge` |", "|---|---|---|"]
    for row in rows.itertuples():
        difference = row_of(table, row.method, against=REFERENCE)
        told = (
            "-" if difference is None else f"{difference.value:+.3f} ({difference.low:+.3f} to {difference.high:+.3f})"
        )
        lines.append(f"| `{row.method}` | {row.value:.3f} ({row.low:.3f} to {row.high:.3f}) | {told} |")
    return "\n".join(lines)


def guides(table: pd.DataFrame) -> str:
    """The guide against its controls."""
    rows = {control: row_of(table, GUIDED, against=control) for control in CONTROLS}
    lines = []
    for control, row in rows.items():
        if row is not None:
            outcome = "better" if row.low > 0 else "worse" if row.high < 0 else "undecided"
            lines.append(
                f"- `guided` against `{control}`: {row.value:+.3f} ({row.low:+.3f} to {row.high:+.3f}), {outcome}"
            )
    return "\n".join(lines) if lines else NOT_RUN


def page(table: pd.DataFrame, scores: pd.DataFrame) -> str:
    """The page as Markdown."""
    of_mission = scores[scores["method"] == PRIMARY].groupby(["tissue", "mission"])["auroc"].mean().sort_values()
    named = [f"{' '.join(of_mission.index[at])} at {of_mission.iloc[at]:.2f}" for at in (0, -1)]
    absent = row_of(table, GUIDED) is None
    return PAGE.format(
        answer=answer(table),
        tissues=tissue_table(table),
        methods=method_table(table),
        guides=guides(table),
        genes=int(table.loc[(table["method"] == PRIMARY) & (table["tissue"] != ALL), "public_genes"].notna().sum()),
        missions=int(row_of(table, PRIMARY).missions),
        seeds=int(row_of(table, PRIMARY).seeds),
        worst=named[0],
        best=named[1],
        missing=ABSENT if absent else "All of the protocol ran.",
    )


@style.styled
def draw(table: pd.DataFrame) -> Figure:
    """The primary with its intervals, `ridge`, and the public figures, by tissue."""
    places = [ALL, *reversed(TISSUES)]
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.axvline(0.5, color=style.GREY, lw=0.8)
    for place, tissue in enumerate(places):
        row = row_of(table, PRIMARY, tissue)
        line = axes.plot([max(row.low, 0), min(row.high, 1)], [place] * 2, color=style.BLUE, lw=2)
        style.tell(line[0], f"{tissue}: {row.value:.3f} ({row.low:.3f} to {row.high:.3f})")
    rows = [row_of(table, PRIMARY, tissue) for tissue in places]
    reference = [row_of(table, REFERENCE, tissue).value for tissue in places]
    drawn = [
        ("average (fixed beforehand)", [row.value for row in rows], "o", style.BLUE, 0.0),
        ("ridge", reference, "s", style.GREEN, -0.18),
        ("public, genes", [row.public_genes for row in rows], "^", style.GREY, 0.18),
        ("public, gene sets", [row.public_gene_sets for row in rows], "D", style.ORANGE, 0.18),
    ]
    for label, values, mark, colour, shift in drawn:
        axes.plot(values, [place + shift for place in range(len(places))], mark, color=colour, ms=5, label=label)
    axes.set_yticks(range(len(places)), places)
    axes.set_xlim(0, 1.02)
    axes.set_xlabel("AUROC, mean over left-out missions")
    figure.legend(loc="outside upper center", ncols=4, frameon=False)
    return figure

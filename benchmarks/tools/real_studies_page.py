"""The page and the figure of `real_studies.py`, made from its tables."""

import datetime
import textwrap

import numpy as np
from matplotlib.figure import Figure
from scarceseq.report import style

COLOURS = {"mouse": style.BLUE, "human": style.ORANGE, "both": style.BLACK}
PAGE = """# What methods are worth on real studies, pooled

{answer}

{date} of 14 mouse and 19 human series (laboratories), by `config/real_studies_mouse.yaml` and
`config/real_studies_human.yaml` with the code of {commit}; this page by
`python benchmarks/tools/real_studies.py docs/benchmark COMMIT results/real_studies_mouse results/real_studies_human`.

The [protocol](real_studies_protocol.md) was written before, and amended after a first run. Tasks are pairs of classes
within one study, told by k samples of each; differences are in balanced accuracy, means over pre-training seeds and
series, with 95 % intervals. {seeds}

## Primary comparisons

Means over k = 2 and 3; guides on the first label of each study.

{primary}

The guide against others that see the network:
{network}.

{edge}

Champions of the folds (not trained by gradient, of the first run's methods):
{champions}.

## Ridge on plain logarithms against the others

![Difference to ridge on logarithms](real_studies.svg)

{secondary}

Balanced accuracy ([all of it](real_studies_means.tsv)):

{means}

## Hypotheses

- The guide is not told from its controls: see above.
{hypotheses}

## How far it carries

- Technical labels are negative controls: ridge on logarithms tells them at {technical} on average (chance 0.5).
- Models of one fold share training data. Simulated over {series} series, the 95 % interval holds the truth in
  {covered}.
- [All comparisons](real_studies.tsv), random effects and single k.
- Base models are small, some 150 to 420 samples: the scale of the archive stays open.
- k = 1, guides, and all human studies: the first label of each study alone.
{added}{missing}- Apart: [learning within studies](real_studies_within.md), [labels that series
  share](shared_labels.md).
- Processor time: {cost}.
"""


def estimate(row):
    """Difference, interval, series, outcome."""
    text = f"{row.difference:+.3f} ({row.low:+.3f} to {row.high:+.3f}; {row.series} series), {row.outcome}"
    return text + (f", {row.series_needed} series would decide" if row.outcome == "undecided" else "")


def chosen(table, organism, k, method, against):
    """One row of the table, or None."""
    rows = table[(table["organism"] == organism) & (table["k"] == k) & (table["method"] == method)]
    rows = rows[rows["against"] == against]
    return next(rows.itertuples(), None)


def widest(table, k, method, against):
    """The row that pools most series, or None."""
    rows = (chosen(table, organism, k, method, against) for organism in ("both", "mouse", "human"))
    return next((row for row in rows if row is not None), None)


def whole(table):
    """The organism whose rows pool all series."""
    return "both" if (table["organism"] == "both").any() else table["organism"].iloc[0]


VERBS = {
    "better": "does better than",
    "worse": "does worse than",
    "no difference": "does as well as",
    "undecided": "is not told from",
    "not tested": "was not tested against",
}


def answer(table):
    """The first sentence."""
    parts = []
    guide, ridge = ("guided@per_tensor", "guided fine-tuning"), ("ridge@logs", "ridge regression on plain logarithms")
    control = ("mean_rate@per_tensor", "its own control of equal mean rate")
    champion = ("champion", "the method chosen on validation series")
    for one, other in ((guide, control), (guide, ridge), (champion, ridge)):
        row = widest(table, "2 and 3", one[0], other[0])
        if row is not None:
            parts.append(f"{one[1]} {VERBS[row.outcome]} {other[1]} ({row.difference:+.3f}, {row.series} series)")
    text = "; ".join(parts)
    return textwrap.fill(f"Pooled over the series, {text}.", 120)


def primary(table):
    """A list of the primary comparisons, each with what it comes to in one organism, by one seed and without a fold."""
    lines, rows = [], table[table["kind"] == "primary"]
    for (method, against), part in rows.groupby(["method", "against"], sort=False):
        main = widest(part, part["k"].iloc[0], method, against)
        others = [
            f"{row.organism} {row.difference:+.3f} ({row.outcome})"
            for row in part.itertuples()
            if row.organism != main.organism
        ]
        seeds = f"by one of {main.seeds} seeds {main.seed_low:+.3f} to {main.seed_high:+.3f}"
        others += [seeds] if main.seeds > 1 else []
        others.append(f"without a fold {main.fold_low:+.3f} to {main.fold_high:+.3f}")
        lines.append(f"- `{method}` against `{against}`, {main.organism}: {estimate(main)}; {', '.join(others)}")
    return "\n".join(lines)


def edges(chosen):
    """How often guide and control chose the smallest or the largest learning rate."""
    listed = ", ".join(
        f"`{method}` the smallest in {row.smallest} and the largest in {row.largest}"
        for method, row in chosen.iterrows()
    )
    if chosen.empty:
        return ""
    return f"Of six learning rates, in {int(chosen['fits'].max())} cells (fold, seed, k): {listed}."


def secondary(table):
    """What the figure shows, counted."""
    organism = whole(table)
    rows = table[(table["organism"] == organism) & (table["k"] == "2 and 3") & (table["against"] == "ridge@logs")]
    rows = rows[~rows["method"].isin(["champion", *FITTED])]
    lines = []
    for outcome in ("better", "worse", "no difference", "undecided"):
        part = rows[rows["outcome"] == outcome].sort_values("difference", ascending=False)
        listed = ", ".join(f"`{row.method}` {row.difference:+.3f}" for row in part.itertuples())
        if listed:
            lines.append(f"- {outcome}: {listed}")
    return "\n".join(lines)


FITTED = ("full_fine_tuning", "linear_probe", "logistic@embedding", "guided@per_tensor", "guided@global")
FITTED += tuple(
    f"{control}@{guide}" for control in ("mean_rate", "tensor_mean_rate") for guide in ("per_tensor", "global")
)
SHOWN = ["ridge@logs", "nearest_centroid@logs", "top_genes@logs", "ridge@genes"]


def mean_table(accuracy):
    """Means of some methods, as a table."""
    part = accuracy[(accuracy["kind"] == "biological") & (accuracy["k"] == 2)]
    wide = part.pivot_table(index="method", columns=["organism", "k"], values="balanced_accuracy")
    wide = wide.reindex([name for name in SHOWN if name in wide.index])
    head = " | ".join(f"{organism}, k = {k}" for organism, k in wide.columns)
    lines = [f"| method | {head} |", "|---|" + "---|" * wide.shape[1]]
    for name, values in zip(wide.index, wide.to_numpy(), strict=True):
        lines.append(f"| `{name}` | " + " | ".join(f"{value:.3f}" for value in values) + " |")
    return "\n".join(lines)


PLANNED_SEEDS = 5


def seeds(table):
    """How many pre-training seeds the guides have, by organism."""
    guides = table[table["method"] == "guided@per_tensor"]
    run = {name: int(part["seeds"].min()) for name, part in guides.groupby("organism") if name != "both"}
    said = ", ".join(f"{name} {count}" for name, count in run.items())
    few = any(count < PLANNED_SEEDS for count in run.values())
    return f"Seeds: {said} of {PLANNED_SEEDS}." + (" A claim about guides needs all." if few else "")


def post_hoc(table, added):
    """A line that names the methods added after the first run, if they were run."""
    listed = ", ".join(f"`{name}`" for name in [*added, "champion_of_all"] if (table["method"] == name).any())
    return f"- Post hoc: {listed}.\n" if listed else ""


def missing(table, added):
    """What was planned and is in none of the runs."""
    human = set(table.loc[table["organism"] == "human", "method"])
    lacking = ["guides on human studies"] * ("guided@per_tensor" not in human)
    lacking += ["the amendment's added methods"] * (not set(table["method"]) & set(added))
    return f"- Not run: {', '.join(lacking)}.\n" if lacking else ""


def hypotheses(table):
    """What became of each."""
    asked = [
        ("scaling by other studies loses", "2 and 3", "ridge@genes", "ridge@logs"),
        ("components of other studies lose more", "2 and 3", "logistic@pca", "ridge@logs"),
        ("at k = 1 the nearest centroid equals ridge", "1", "nearest_centroid@logs", "ridge@logs"),
        ("from k = 2 on it loses", "2 and 3", "nearest_centroid@logs", "ridge@logs"),
    ]
    rows = [(text, widest(table, k, method, other)) for text, k, method, other in asked]
    return "\n".join(
        f"- {text.capitalize()}: {row.difference:+.3f}, {row.outcome}." for text, row in rows if row is not None
    )


def guide_and_network(table):
    """The guide against the other methods that see the network."""
    names = ("full_fine_tuning", "linear_probe", "logistic@embedding")
    rows = {name: widest(table, "2 and 3", "guided@per_tensor", name) for name in names}
    listed = [f"`{name}` {row.difference:+.3f} ({row.outcome})" for name, row in rows.items() if row is not None]
    return "; ".join(listed)


def page(table, accuracy, best, covered, commit, edge, cost, added):
    """The page as Markdown."""
    technical = accuracy[(accuracy["kind"] == "technical") & (accuracy["method"] == "ridge@logs")]
    technical = technical[technical["k"] > 1]
    listed = ", ".join(f"{count} x `{name}`" for name, count in best.value_counts().items())
    words = {0.0: "if nothing is shared", 0.1: "if a tenth of their variance is", 0.3: "if three tenths are"}
    series = int(table.loc[table["organism"] == whole(table), "series"].max())
    return PAGE.format(
        answer=answer(table),
        date=f"Run on {datetime.date.today():%-d %B %Y} on studies",
        commit=commit,
        primary=primary(table),
        network=guide_and_network(table),
        edge=textwrap.fill(edges(edge), 120),
        seeds=seeds(table),
        missing=missing(table, added),
        added=post_hoc(table, added),
        cost=", ".join(f"{organism} {spent:.0f} minutes" for organism, spent in cost.items()),
        champions=listed,
        secondary=secondary(table),
        means=mean_table(accuracy),
        hypotheses=hypotheses(table),
        technical=f"{np.average(technical['balanced_accuracy'], weights=technical['series']):.2f}",
        series=series,
        covered=", ".join(f"{100 * value:.0f} % {words[share]}" for share, value in covered.items()),
    )


@style.styled
def draw(table, reference, k):
    """Differences of all methods to the reference, with intervals."""
    rows = table[(table["against"] == reference) & (table["k"] == k)]
    organisms = [name for name in COLOURS if (rows["organism"] == name).any()]
    order = rows[rows["organism"] == organisms[-1]].sort_values("difference")["method"].tolist()
    figure = Figure(figsize=(7, 0.32 * len(order) + 1), layout="constrained")
    axes = figure.subplots()
    axes.axvline(0, color=style.GREY, lw=0.8)
    axes.axvspan(-0.02, 0.02, color=style.LIGHT, alpha=0.4, lw=0)
    for number, organism in enumerate(organisms):
        part = rows[rows["organism"] == organism].set_index("method").reindex(order)
        place = np.arange(len(order)) + 0.2 * (number - (len(organisms) - 1) / 2)
        look = dict(color=COLOURS[organism], fmt=style.MARKERS[number], ms=4, lw=1.4)
        bars = [part["difference"] - part["low"], part["high"] - part["difference"]]
        axes.errorbar(part["difference"], place, xerr=bars, label=organism, **look)
    axes.set_yticks(np.arange(len(order)), order)
    axes.set_xlabel(f"balanced accuracy minus that of {reference}, k = {k}")
    axes.legend(loc="upper left")
    return figure

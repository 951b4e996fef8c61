"""Contrasts of few-shot methods: what was planned, as a figure, and tables of all."""

import pandas as pd

from scarceseq.report.blocks import Block, Picture, Table
from scarceseq.report.forest import forest_figure
from scarceseq.report.glossary import plain_method
from scarceseq.report.wording import span, words
from scarceseq.statistics.outcomes import meanings, outcome

SHOWN = "method against task way shot metric difference low high p_holm outcome studies episodes seeds"
DRAWN = ("balanced_accuracy",)
"""Metrics that get a figure; the others get a table."""
ROWS_DRAWN = 16
"""Most rows of a figure; where there are more, some are left to a folded one."""


def contrast_names(contrasts: pd.DataFrame) -> list[str]:
    """Row names such as 'guided global against linear probe, tissue, 3 classes, 5 per class'."""
    several = contrasts["base"].nunique() > 1
    return [
        f"{plain_method(row.method)} − {plain_method(row.against)}: {words(row.task)}, {row.way}×{row.shot}"
        + (f" ({row.base})" if several else "")
        for row in contrasts.itertuples()
    ]


def contrast_blocks(contrasts: pd.DataFrame, smallest_difference: float) -> list:
    """Contrasts with their outcomes (of `DRAWN` metrics): a figure of the primary ones, tables of all."""
    bounds = zip(contrasts["metric"], contrasts["low"], contrasts["high"], strict=True)
    outcomes = [
        outcome(low, high, smallest_difference).value if metric in DRAWN else None for metric, low, high in bounds
    ]
    contrasts = contrasts.assign(outcome=outcomes)
    note = (
        "Method minus 'against', on the same episodes. Of balanced accuracy more is better, of log loss less. "
        f"{meanings()} The smallest difference that matters: {smallest_difference:g} in balanced accuracy."
    )
    blocks: list[Block] = []
    titles = {"primary": "Primary contrasts, fixed before the run", "secondary": "Secondary contrasts"}
    for kind, title in titles.items():
        rows = contrasts[contrasts["kind"] == kind].reset_index(drop=True)
        drawn = rows[rows["metric"].isin(DRAWN)].reset_index(drop=True)
        if kind == "primary" and len(drawn):
            blocks.append(_contrast_picture(drawn))
        if len(rows):
            shown = rows[[*(["base"] if rows["base"].nunique() > 1 else []), *SHOWN.split()]]
            blocks.append(Table(f"fewshot_contrasts_{kind}", rows, title, note, shown=shown))
    return blocks


def _contrast_picture(contrasts: pd.DataFrame) -> Picture:
    return Picture(
        "fewshot_primary_contrasts",
        forest_figure(contrasts, contrast_names(contrasts), "difference in balanced accuracy"),
        "Primary contrasts",
        "Difference in balanced accuracy between two methods on the same episodes, with its interval over studies; "
        "task, classes × labelled samples per class. Coloured where the interval leaves out zero: blue in favour of "
        "the first method, orange in favour of the second.",
        f"{span(contrasts['studies'], 'study', 'studies')} and {span(contrasts['episodes'], 'episode')} per contrast.",
        "With fewer than ten studies an interval rests on few differences. Intervals are not corrected for the number "
        "of rows, so one coloured row among twenty is what chance gives; p holm in the table is.",
        folded=len(contrasts) > ROWS_DRAWN,
    )

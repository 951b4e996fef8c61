"""What each choice is worth beside random choice, and whose names it knew."""

import pandas as pd

from scarceseq.report.blocks import Paragraph, Table
from scarceseq.report.inputs import Inputs
from scarceseq.report.wording import words

KNOWN = {
    "tests": "know the names of the perturbations to be predicted (task: predict a named test set)",
    "list": "know the whole list, not which of it will be predicted (task: predict the rest of my list)",
    "none": "know the names of what may be chosen alone (task: predict genes not named)",
}
NOTE = (
    "Share: what is gained over random choice of the same budget, over what the whole pool gains over it; 100 % is as "
    "good as measuring everything. Equivalent: the random budget that does as well, read off the random curve of each "
    "split; it cannot leave the budgets that were tried. Both with their interval over splits."
)


def blocks(inputs: Inputs) -> list[Paragraph | Table]:
    """A sentence on the tasks, and the table; nothing if there is none."""
    if not inputs.has("selection_worth"):
        return []
    table = inputs.table("selection_worth")
    if table.empty:
        return []
    title = "What a choice is worth: share of the room, and equivalent random budget"
    return [Paragraph(tasks(table)), Table("selection_worth", table, title, NOTE, shown=shown(table))]


def tasks(table: pd.DataFrame) -> str:
    """Which ways of choosing know what, as sentences; `table` is from `scarceseq.selection.worth.worth`."""
    sentences = []
    for used, meaning in KNOWN.items():
        names = sorted(set(table.loc[table["names_used"] == used, "selector"]))
        if names:
            sentences.append(f"{', '.join(words(name) for name in names)}: {meaning}.")
    return "Three tasks are kept apart. " + " ".join(text[0].upper() + text[1:] for text in sentences)


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """The squared error's rows, with intervals in words."""
    rows = table[table["metric"] == "mse"].copy()
    rows["share of the room"] = [
        f"{100 * row.share:.0f} % [{100 * row.share_low:.0f}, {100 * row.share_high:.0f}]" for row in rows.itertuples()
    ]
    rows["equivalent random budget"] = [
        f"{row.equivalent:.0f} [{row.equivalent_low:.0f}, {row.equivalent_high:.0f}]" for row in rows.itertuples()
    ]
    columns = ["screen", "graph", "selector", "names_used", "predictor", "budget"]
    return rows[[*columns, "share of the room", "equivalent random budget", "splits"]]

"""What a next experiment of the user's own study would need: samples for genes and for prediction, and a layout."""

from typing import TYPE_CHECKING

from scarceseq.own_study.next_experiment import CHANGED_SHARE, FALSE_DISCOVERY
from scarceseq.report.blocks import Paragraph, Table
from scarceseq.report.wording import count
from scarceseq.statistics.power import POWER

if TYPE_CHECKING:
    import pandas as pd

    from scarceseq.report.inputs import Inputs

SPOKEN_CHANGE = 2.0


def next_blocks(inputs: "Inputs") -> list[Paragraph | Table]:
    """Power for differential genes, the learning curve of the prediction, and the layout."""
    power, curve = inputs.table("own_differential_power"), inputs.table("own_learning_curve")
    note = (
        f"Of a moderated t test of two classes, with the noise of this study's counts, if {CHANGED_SHARE:.0%} of the "
        "genes change by the fold change. Found share: of these genes. Well powered share: of genes that are found in "
        f"{POWER:.0%} of studies or more. As now: the size of the smallest class of this study."
    )
    shown = power[power["fold_change"] == SPOKEN_CHANGE]
    blocks: list[Paragraph | Table] = [
        Paragraph(power_sentence(power)),
        Table("own_differential_power", power, "How many genes a larger study would find", note, shown=shown),
    ]
    if len(curve):
        note = (
            "Draws of so many animals (groups) of each class to learn from, the rest predicted; below the line at most "
            "twice as many by an inverse power law, with 90% intervals whose coverage was not shown."
        )
        blocks.append(Table("own_learning_curve", curve, "With fewer and more samples", note))
    layout = inputs.table("own_layout")
    note = (
        f"{count(len(layout), 'sample')} in {count(layout['batch'].nunique(), 'batch', 'batches')}. Each batch has as "
        "many samples of every class, or one more. Work through a batch in the order of its places, which is drawn "
        "from the seed. The keys `next_per_class` and `next_batches` of `own_study` make another."
    )
    blocks.append(Table("own_layout", layout, "A layout of the next experiment", note))
    return blocks


def power_sentence(power: "pd.DataFrame") -> str:
    """What the present size finds of genes that double, and the first size that finds most of them."""
    rows = power[power["fold_change"] == SPOKEN_CHANGE]
    now = rows[rows["as_now"]].iloc[0]
    text = (
        f"With {now['groups_per_class']} samples of each class as noisy as yours, {now['found_share']:.0%} of the "
        f"genes that double would be found (false discovery rate {FALSE_DISCOVERY:.0%})"
    )
    if now["found_share"] >= POWER:
        return f"{text}."
    enough = rows[rows["found_share"] >= POWER]
    if enough.empty:
        return f"{text}; not even {rows['groups_per_class'].max()} of each class would find {POWER:.0%} of them."
    return f"{text}; {enough.iloc[0]['groups_per_class']} of each class would find {POWER:.0%} of them."

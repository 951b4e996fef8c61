"""What a next experiment of the user's own study would need: samples for genes and for prediction, and a layout."""

import pandas as pd

from scarceseq.own_study.curve_evidence import is_trusted, read_curve_evidence
from scarceseq.own_study.next_experiment import CHANGED_SHARE, FALSE_DISCOVERY
from scarceseq.report.blocks import Paragraph, Table
from scarceseq.report.inputs import Inputs
from scarceseq.report.wording import count
from scarceseq.statistics.power import POWER

SPOKEN_CHANGE, TOO_WIDE, CEILING = 2.0, 0.3, 0.95


def next_blocks(inputs: Inputs) -> list[Paragraph | Table]:
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
            "Draws of so many animals (groups) of each class to learn from, the rest predicted; those not observed by "
            "an inverse power law, with 90% intervals, to at most twice as many."
        )
        blocks.append(Paragraph(curve_sentence(curve, read_curve_evidence())))
        blocks.append(Table("own_learning_curve", curve, "With fewer and more samples", note))
    layout = inputs.table("own_layout")
    note = (
        f"{count(len(layout), 'sample')} in {count(layout['batch'].nunique(), 'batch', 'batches')}. Each batch has as "
        "many samples of every class, or one more. Work through a batch in the order of its places, which is drawn "
        "from the seed. The keys `next_per_class` and `next_batches` of `own_study` make another."
    )
    blocks.append(Table("own_layout", layout, "A layout of the next experiment", note))
    return blocks


def power_sentence(power: pd.DataFrame) -> str:
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


def curve_sentence(curve: pd.DataFrame, evidence: pd.DataFrame) -> str:
    """What more samples would do for the prediction, if curves of larger studies foretold that; else that they did not.

    `curve`: see `scarceseq.own_study.learning_curve.summarise_curve`; `evidence`: see
    `scarceseq.own_study.curve_evidence.read_curve_evidence`.
    """
    shown = f"on {count(len(evidence), 'larger study', 'larger studies')} such 90% intervals held what was reached in "
    shown += f"{evidence['covered'].mean():.0%} of the cases"
    if not is_trusted(evidence):
        return f"How many more samples would do for the prediction cannot be said: {shown}."
    now, then = curve[curve["observed"]].iloc[-1], curve.iloc[-1]
    reached = f"Learning from {now['groups_per_class']} of each class reaches a balanced accuracy of "
    reached += f"{now['balanced_accuracy']:.2f}"
    if now["balanced_accuracy"] >= CEILING:
        return f"{reached}: there is little left for more samples to gain."
    text = f"{reached}; {then['groups_per_class']} are expected to reach {then['balanced_accuracy']:.2f}"
    text += f" (90% interval {then['low']:.2f} to {then['high']:.2f}; {shown})."
    if then["high"] - then["low"] > TOO_WIDE:
        text += " That is too wide to plan the number of samples by."
    return text

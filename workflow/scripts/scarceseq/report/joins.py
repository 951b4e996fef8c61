"""What was matched by name, as a folded table that every stage shows alike."""

from scarceseq.report.blocks import Paragraph, Table
from scarceseq.report.inputs import Inputs

NOTE = "What was matched by name, what was not, and what is nearly the same."


def joins_blocks(inputs: Inputs, stage: str, title: str = "Names that were matched") -> list[Table]:
    """Table of a stage's joins, the inputs ``<stage>_joins``; nothing where nothing was matched."""
    table = inputs.stacked(f"{stage}_joins")
    return [Table(f"{stage}_joins", table, title, NOTE)] if len(table) else []


def user_blocks(inputs: Inputs) -> list[Paragraph | Table]:
    """What is to be said of each user's study in the corpus, and what of it was matched by name."""
    notes = inputs.stacked("user_notes")
    said = [Paragraph(f"Study {row.study}: {row.text}.", "warning") for row in notes.itertuples()]
    return [*said, *joins_blocks(inputs, "user", "Names of your studies that were matched")]

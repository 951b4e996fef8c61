"""Tables of the few-shot section: what was chosen, and what was not run."""

import pandas as pd

from scarceseq.report.blocks import Table


def tuning_table(tuning: pd.DataFrame) -> Table:
    """What was chosen on the validation studies, by method and cell."""
    return Table(
        "fewshot_tuning",
        tuning,
        "What each method chose on the validation studies",
        "Candidate: learning rate, or the method's other hyper-parameter; steps are 0 if it takes none. A candidate at "
        "the end of its list may have a better one beyond. Diverged: share of the fits to test episodes, which count "
        "as chance; rejected: candidates that were not used and of which a validation fit diverged. Calibration error: "
        "how far probabilities are from the share that is right, over all test queries of a cell.",
    )


def missing_table(missing: pd.DataFrame) -> Table:
    """Cells that were planned and not run."""
    keys = ["base", "method", "task", "way", "shot", "reason"]
    frame = missing[keys].drop_duplicates().reset_index(drop=True)
    shown = frame.groupby(["base", "task", "way", "shot", "reason"], sort=True).agg(methods=("method", "nunique"))
    note = "Planned, but the data cannot fill them; nothing was put in their place."
    return Table("fewshot_not_run", frame, "Cells that were not run", note, shown=shown.reset_index())

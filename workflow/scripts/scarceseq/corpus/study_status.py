"""What became of every study of the archive's list, in one table."""

from typing import Any

import pandas as pd

STATUS_COLUMNS = ["organism", "source", "study", "runs", "kept_runs", "dropped_runs", "samples", "status", "reason"]
# Reasons that stand for a whole study, whose value tells more.
OF_STUDIES = {"study_excluded": "excluded by its metadata", "study_unusable": "unusable"}
UNLISTED = "not_in_archive_table"


def study_status(listed: pd.DataFrame, samples: pd.DataFrame, dropped: pd.DataFrame) -> pd.DataFrame:
    """One row per study, sorted: `STATUS_COLUMNS` of all listed studies, of the user's and of other corpora's.

    `listed` is ``archive/studies.tsv``: every study of the archive, with batch or skip_reason; `samples` has organism,
    source, study, runs (joined by commas) of the corpus; `dropped` has study, run, reason, value.

    status is ``kept`` (some run is), ``dropped`` (every run was), ``excluded by its metadata`` and ``unusable`` (counts
    missing or damaged), or ``skipped`` (before anything was fetched). reason is why it was skipped, or how many runs
    were dropped for what. Of a listed study, runs = kept_runs + dropped_runs unless it was skipped.
    """
    key = ["organism", "source", "study"]
    kept = samples[[*key, "runs"]].assign(kept_runs=samples["runs"].str.count(",") + 1, samples=1)
    kept = kept.groupby(key, as_index=False)[["kept_runs", "samples"]].sum()
    archive = listed.rename(columns={"project": "study"})
    table = archive.merge(kept, on=key, how="outer").astype({"runs": "Int64"})
    table[["kept_runs", "samples"]] = table[["kept_runs", "samples"]].fillna(0).astype(int)
    planned = set(archive.loc[archive["batch"].notna(), "study"])
    lines = dropped[dropped["study"].isin(planned) & (dropped["reason"] != UNLISTED)]
    reasons = {study: rows for study, rows in lines.groupby("study")}
    statuses = [_status_of(row, reasons.get(row.study) if pd.notna(row.batch) else None) for row in table.itertuples()]
    table[["dropped_runs", "status", "reason"]] = pd.DataFrame(statuses, index=table.index)
    table["runs"] = table["runs"].fillna(table["kept_runs"])
    return table.sort_values(key, ignore_index=True)[STATUS_COLUMNS]


def _status_of(row: Any, lines: pd.DataFrame | None) -> tuple[int, str, str | None]:
    """(dropped runs, status, reason) of a study; `lines` are those of the dropped runs, None if there are none."""
    if pd.notna(row.skip_reason):
        return 0, "skipped", row.skip_reason
    if lines is None:
        return 0, "kept", None
    counts = lines["reason"].value_counts().sort_index()
    if len(counts) == 1 and counts.index[0] in OF_STUDIES:
        return len(lines), OF_STUDIES[counts.index[0]], lines["value"].iloc[0]
    listed = ", ".join(f"{count} {reason}" for reason, count in counts.items())
    return len(lines), "kept" if row.kept_runs else "dropped", listed

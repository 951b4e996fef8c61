"""Archive: what was listed, what was fetched, and where every run went."""

import pandas as pd

from scarceseq.archive.manifest import Entry, by_study, read_manifest, why_skipped, why_unusable
from scarceseq.report.blocks import Block, Paragraph, Section, Table
from scarceseq.report.inputs import Inputs
from scarceseq.report.wording import count

UNUSABLE, UNLISTED = "study_unusable", "not_in_archive_table"
REASONS = {
    "no_counts": "not in the table of gene sums",
    "no_metadata": "no metadata",
    "no_qc": "no alignment figures",
    "no_coverage": "no coverage",
    "few_mapped_reads": "too few mapped reads",
    "library_selection": "library made in an excluded way",
    "all_zero": "all genes zero",
    "all_zero_in_shared_genes": "all genes zero among those measured in enough studies",
    "zero_fraction": "too many genes zero",
    "run_cap": "beyond the most runs of one study",
    "duplicate_content": "same counts as another sample",
    "near_copy": "the same reads as another sample: scaled, thinned, or with few counts changed",
    "duplicate_sample": "same sample name as another",
    "study_excluded": "study excluded by an id in its metadata",
    UNUSABLE: "study's files could not be used",
}


def study_states(studies: pd.DataFrame, entries: list[Entry]) -> pd.DataFrame:
    """`studies` (organism, source, project, runs, batch, skip_reason) with columns state and detail.

    State: 'fetched', 'skipped' by the plan, 'ruled out' by metadata before its counts were fetched, 'unusable', 'not in
    a manifest'. `entries` are those of all batches.
    """
    files = {(study.organism, study.source, study.project): entry for study, entry in by_study(entries).items()}
    states, details = [], []
    for row in studies.itertuples():
        key = (row.organism, row.source, row.project)
        if pd.notna(row.skip_reason) and row.skip_reason:
            state, detail = "skipped", row.skip_reason
        elif key not in files:
            state, detail = "not in a manifest", ""
        elif why_skipped(files[key]):
            state, detail = "ruled out", why_skipped(files[key])
        else:
            reason = why_unusable(files[key])
            state, detail = ("unusable", reason) if reason else ("fetched", "")
        states.append(state)
        details.append(detail)
    return studies.drop(columns="skip_reason").assign(state=states, detail=details)


def run_ledger(states: pd.DataFrame, dropped: pd.DataFrame, samples: pd.DataFrame) -> pd.DataFrame:
    """Account of all listed runs (entry, runs): each is a sample, part of one, or left out for a reason.

    The first row is the number listed, the last what the others leave unexplained (0). `states` is from `study_states`;
    `dropped` has study, run, reason, value; `samples` has study, runs (comma-joined).
    """
    listed = int(states["runs"].sum())
    ours = dropped[dropped["study"].isin(states["project"]) & (dropped["reason"] != UNLISTED)]
    rows = [("listed by the archive", listed)]
    for state, group in states[states["state"].isin(["skipped", "not in a manifest"])].groupby("state", sort=True):
        rows.append((f"left out: study {state}", int(group["runs"].sum())))
    for reason, left_out in ours["reason"].value_counts().sort_index().items():
        rows.append((f"left out: {reason_words(reason)}", int(left_out)))
    kept = samples[samples["study"].isin(states["project"])]
    runs = int((kept["runs"].astype(str).str.count(",") + 1).sum())
    rows += [
        ("kept: first or only run of a sample", len(kept)),
        ("kept: added to a sample's first run", runs - len(kept)),
    ]
    rows.append(("unexplained", listed - sum(runs for _, runs in rows[1:])))
    return pd.DataFrame(rows, columns=["entry", "runs"])


def reason_words(reason: str) -> str:
    """A reason of the corpus stage in plain words."""
    if reason.startswith("type:"):
        return f"not bulk RNA-seq by {reason.removeprefix('type:')}"
    return REASONS.get(reason, reason.replace("_", " "))


def section(inputs: Inputs) -> Section | None:
    """Section of the page, or None if the run listed no archive."""
    if not inputs.has("studies"):
        return None
    entries = [entry for path in inputs.paths("manifests") for entry in read_manifest(path)]
    states = study_states(inputs.table("studies"), entries)
    counts = states.groupby("state", sort=True).agg(studies=("project", "size"), runs=("runs", "sum")).reset_index()
    good = [entry for entry in entries if entry.status == "ok"]
    fetched = states[states["state"] == "fetched"]
    text = (
        f"The archive lists {count(len(states), 'study', 'studies')} with {count(int(states['runs'].sum()), 'run')}; "
        f"fetched and verified: {count(len(fetched), 'study', 'studies')}, {count(len(good), 'file')}, "
        f"{sum(entry.bytes or 0 for entry in good) / 1e6:,.1f} MB."
    )
    blocks: list[Block] = [Paragraph(text), Table("archive_states", counts, "Studies by state")]
    if inputs.has("dropped_runs", "samples"):
        blocks += _ledger_blocks(run_ledger(states, inputs.table("dropped_runs"), inputs.table("samples")))
    if inputs.has("excluded_ids"):
        blocks += _excluded_blocks(inputs.table("excluded_ids"))
    failed = states[states["state"].isin(["unusable", "not in a manifest"])]
    if len(failed):
        note = "Recorded and left out; the run goes on as long as they are few."
        blocks.append(Table("archive_unusable", failed, "Studies that could not be used", note))
    blocks.append(Table("archive_studies", states, "All studies of the archive"))
    return Section("archive", "Archive", blocks)


def _excluded_blocks(ids: pd.DataFrame) -> list[Paragraph | Table]:
    """What became of the ids that are excluded; a warning names those that nothing knows."""
    nowhere = ids.loc[ids["projects"].isna() | (ids["projects"] == ""), "id"].astype(str)
    blocks: list[Paragraph | Table] = []
    if len(nowhere):
        text = (
            f"Excluded, but in no table and no metadata: {', '.join(nowhere)}. If these are studies of the archive, "
            "they were trained on: name their projects in archive.study_accessions."
        )
        blocks.append(Paragraph(text, "warning"))
    if len(ids):
        blocks.append(Table("archive_excluded", ids, "Studies that each excluded id leads to"))
    return blocks


def _ledger_blocks(ledger: pd.DataFrame) -> list[Paragraph | Table]:
    left = int(ledger["runs"].iloc[-1])
    table = Table("archive_runs", ledger, "Where every run went", "All rows below the first add up to the first.")
    if left == 0:
        return [table]
    problem = "are missing from" if left > 0 else "are too many in"
    text = f"The counts do not add up: {abs(left):,} runs {problem} this account."
    return [table, Paragraph(text, "warning")]

"""The manifest of a batch: one line per file, what came from where and whether it can be trusted."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from scarceseq.archive.layout import REQUIRED_KINDS, Study
from scarceseq.errors import InputError
from scarceseq.files import atomic, sha256
from scarceseq.seals import checked


@dataclass(frozen=True)
class Entry:
    """One file of one study.

    Attributes
    ----------
    path : str
        Relative to the manifest's folder.
    url, final_url : str or None
        The mirror's address of the good copy, and where it came from, behind the mirror's redirects.
    rows, columns : int or None
        Genes and runs of gene sums; rows and columns of a metadata table.
    status : {'ok', 'absent', 'damaged', 'failed', 'skipped'}
        absent: the archive has no such file; damaged: it does not verify; failed: it could not be had; skipped: gene
        sums that were not asked for, since the study's metadata rule it out.
    detail : str
        What is odd about it, or what went wrong.
    """

    organism: str
    source: str
    project: str
    kind: str
    path: str
    status: str
    detail: str
    url: str | None = None
    final_url: str | None = None
    bytes: int | None = None
    sha256: str | None = None
    rows: int | None = None
    columns: int | None = None


def write_manifest(entries: Iterable[Entry], path: str | Path) -> None:
    """Write entries as JSON lines."""
    with atomic(path, sealed=True) as temporary, open(temporary, "w") as handle:
        handle.writelines(json.dumps(asdict(entry), sort_keys=True) + "\n" for entry in entries)


def read_manifest(path: str | Path) -> list[Entry]:
    """Entries of a manifest."""
    with open(checked(path)) as handle:
        return [Entry(**json.loads(line)) for line in handle]


def by_study(entries: Iterable[Entry]) -> dict[Study, dict[str, Entry]]:
    """{Study: {kind: Entry}}, in the order of the manifest."""
    studies = {}
    for entry in entries:
        study = Study(entry.organism, entry.source, entry.project)
        studies.setdefault(study, {})[entry.kind] = entry
    return studies


def why_unusable(files: Mapping[str, Entry]) -> str | None:
    """Words for why a study cannot be used, or None if it can; `files` are by kind.

    Gene sums, the source's own table and the alignment's QC table must be good; the prediction and sequence QC tables
    may be absent, but not damaged.
    """
    bad = [
        f"{kind} {entry.status}: {entry.detail}"
        for kind, entry in files.items()
        if entry.status != "ok" and (kind in REQUIRED_KINDS or entry.status != "absent")
    ]
    return "; ".join(bad) or None


def why_skipped(files: Mapping[str, Entry]) -> str | None:
    """Words for why a study's counts were not fetched on purpose, or None; `files` are by kind."""
    return next((entry.detail for entry in files.values() if entry.status == "skipped"), None)


def checked_path(folder: str | Path, entry: Entry) -> Path:
    """Path of a good file; raises `InputError` if it is gone, or no longer the file that was verified."""
    path = Path(folder) / entry.path
    if not path.is_file() or sha256(path) != entry.sha256:
        raise InputError(f"{path}: gone or changed since it was verified; delete {folder}/manifest.jsonl and run again")
    return path


def check_failed_share(entries: Iterable[Entry], max_failed_share: float) -> dict[Study, str]:
    """Studies of all batches that cannot be used, with the reason, skipped ones aside.

    Raises
    ------
    InputError
        If they are a larger share of the studies than `archive.max_failed_share`.
    """
    studies = by_study(entries)
    failed = {
        study: reason for study, files in studies.items() if not why_skipped(files) and (reason := why_unusable(files))
    }
    if studies and len(failed) / len(studies) > max_failed_share:
        shown = "\n".join(f"  {study.project}: {reason}" for study, reason in list(failed.items())[:10])
        raise InputError(
            f"archive: {len(failed)} of {len(studies)} studies cannot be used, more than the share of "
            f"{max_failed_share} that archive.max_failed_share allows; delete the batches' manifests to try again, or "
            f"allow more. The first:\n{shown}"
        )
    return failed

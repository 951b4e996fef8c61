"""Fetching: each file verified under a temporary name, then renamed; what is there and good is not fetched again."""

import json
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from scarceseq.archive.download import DamagedError, MissingError
from scarceseq.archive.gene_sums import GeneNames
from scarceseq.archive.layout import KINDS, Study, annotation_path, study_path
from scarceseq.archive.manifest import Entry, why_skipped, why_unusable
from scarceseq.archive.mirrors import Fetched, Mirrors
from scarceseq.archive.names import inside, why_no_name
from scarceseq.archive.ruled_out import StudyExclusion, why_ruled_out
from scarceseq.archive.tables import ANNOTATION_BYTES, read_annotation
from scarceseq.archive.verify import Shape, gene_sums_bytes, metadata_bytes, verify_gene_sums, verify_metadata
from scarceseq.errors import DownloadError
from scarceseq.files import atomic, sha256

log = logging.getLogger(__name__)

JOURNAL = "fetched.jsonl"


def fetch_annotation(mirrors: Mirrors, organism: str, annotation: str, target: str | Path) -> None:
    """Download the annotation's genes to `target`."""
    with atomic(target) as temporary:
        path = annotation_path(organism, annotation)
        fetched = mirrors.fetch(path, temporary, read_annotation, ANNOTATION_BYTES)
    log.info("%s: %d genes", fetched.final_url, len(fetched.verified))


class Journal:
    """Remembers, across killed runs, from which URLs each file of a batch folder came: the mirror's, and the last.

    The line is written before the file gets its name, so a file without a line never came from here.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.urls = {}
        if self.path.exists():
            for line in self.path.read_text().splitlines():
                try:
                    entry = json.loads(line)
                except json.JSONDecodeError:  # blank, or torn by a kill
                    continue
                self.urls[entry["path"], entry["sha256"]] = entry["url"], entry.get("final_url")

    def add(self, path: str, digest: str, url: str, final_url: str) -> None:
        """Append one file; a newline first, in case a kill tore the line before."""
        with open(self.path, "a") as handle:
            line = {"path": path, "sha256": digest, "url": url, "final_url": final_url}
            handle.write("\n" + json.dumps(line))


def fetch_batch(
    mirrors: Mirrors,
    planned: Iterable[tuple[Study, set[str]]],
    annotation: str,
    gene_ids: list[str],
    folder: str | Path,
    exclusion: StudyExclusion | None = None,
) -> list[Entry]:
    """Fetch all files of a batch's studies into `folder`, in the layout of the archive; one Entry per study and kind.

    Parameters
    ----------
    planned : iterable of (Study, set of str)
        Studies with their runs.
    annotation : str
        Code such as ``M023``.
    gene_ids : list of str
        Of the annotation, in order.
    exclusion : StudyExclusion, optional
        Of a study that its metadata rule out, the gene sums are not fetched, and the manifest says why.

    Raises
    ------
    DownloadError
        If no file of any study could be had because no mirror can be reached. Lesser trouble is in the entries.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in folder.rglob(".*.tmp*"):  # of a run that was killed; a batch has one job at a time
        leftover.unlink()
    journal = Journal(folder / JOURNAL)
    planned = list(planned)
    entries = []
    with ThreadPoolExecutor(mirrors.settings.connections) as pool:
        fetch = partial(fetch_study, mirrors, annotation, GeneNames(gene_ids), folder, journal, exclusion)
        for done, files in enumerate(pool.map(lambda item: fetch(*item), planned), start=1):
            entries += files
            kinds = {entry.kind: entry for entry in files}
            reason = why_unusable(kinds)
            if why_skipped(kinds):
                log.info("%s is skipped: %s", files[0].project, why_skipped(kinds))
            elif reason:
                log.warning("%s cannot be used: %s", files[0].project, reason)
            if done % 10 == 0 or done == len(planned):
                log.info("%d of %d studies", done, len(planned))
    if entries and all(entry.status == "failed" for entry in entries):
        raise DownloadError(f"no mirror can be reached: {entries[0].detail}")
    return entries


def fetch_study(
    mirrors: Mirrors,
    annotation: str,
    names: GeneNames,
    folder: Path,
    journal: Journal,
    exclusion: StudyExclusion | None,
    study: Study,
    runs: set[str],
) -> list[Entry]:
    """Fetch the files of one study, metadata first; returns one Entry per kind, gene sums first."""
    paths = {kind: study_path(study, kind, annotation) for kind in KINDS}
    wanted = {
        kind: Entry(study.organism, study.source, study.project, kind, path, "failed", "not fetched")
        for kind, path in paths.items()
    }
    odd = why_no_name(study.project, runs)
    if odd:
        return [replace(entry, status="damaged", detail=odd) for entry in wanted.values()]
    sums = wanted.pop("gene_sums")
    verify, most = partial(verify_metadata, planned_runs=runs), metadata_bytes(len(runs))
    metadata = {kind: fetch_file(mirrors, entry, folder, verify, most, journal) for kind, entry in wanted.items()}
    if exclusion and not why_unusable(metadata):
        tables = {kind: folder / entry.path for kind, entry in metadata.items() if entry.url}
        reason = why_ruled_out(runs, tables, exclusion)
        if reason:
            return [replace(sums, status="skipped", detail=reason), *metadata.values()]
    verify = partial(verify_gene_sums, annotation=annotation, names=names, planned_runs=runs)
    most = gene_sums_bytes(len(names.ids), len(runs))
    return [fetch_file(mirrors, sums, folder, verify, most, journal), *metadata.values()]


def fetch_file(
    mirrors: Mirrors, wanted: Entry, folder: Path, verify: Callable, most_bytes: int, journal: Journal
) -> Entry:
    """Fetch one file unless a good one is there; returns its Entry, whatever happened."""
    path = wanted.path
    try:
        target = inside(folder, path)
        kept = _kept(mirrors, path, target, verify, journal)
        if kept:
            fetched, digest = kept
        else:
            with atomic(target) as temporary:
                fetched = mirrors.fetch(path, temporary, verify, most_bytes)
                digest = sha256(temporary)
                journal.add(path, digest, fetched.url, fetched.final_url)
        shape: Shape = fetched.verified
        good = replace(wanted, status="ok", detail=shape.detail, rows=shape.rows, columns=shape.columns, sha256=digest)
        return replace(good, url=fetched.url, final_url=fetched.final_url, bytes=target.stat().st_size)
    except MissingError as error:
        return replace(wanted, status="absent", detail=str(error))
    except DamagedError as error:
        return replace(wanted, status="damaged", detail=str(error))
    except DownloadError as error:
        return replace(wanted, status="failed", detail=str(error))


def _kept(mirrors: Mirrors, path: str, target: Path, verify: Callable, journal: Journal) -> tuple[Fetched, str] | None:
    """(Fetched, digest) of a file that is there, came from one of these mirrors, and verifies; None otherwise.

    Copies of a local folder count only while they equal the original: folders change, releases on servers do not.
    """
    if not target.is_file():
        return None
    digest = sha256(target)
    url, final_url = journal.urls.get((path, digest), (None, None))
    if url not in [f"{base}/{path}" for base in mirrors.bases]:
        return None
    if url.startswith("file://"):
        original = Path(url2pathname(urlsplit(url).path))
        if not original.is_file() or sha256(original) != digest:
            return None
    try:
        return Fetched(url, final_url or url, verify(target)), digest
    except DamagedError:
        return None

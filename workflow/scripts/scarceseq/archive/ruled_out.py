"""Studies that their metadata rule out as a whole, told before their counts are fetched."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scarceseq.archive.filters import metadata_reasons
from scarceseq.archive.metadata import read_tables, run_table
from scarceseq.archive.plan import accession
from scarceseq.archive.settings import MetadataFilter
from scarceseq.archive.tables import open_gzip, read_text_table


@dataclass(frozen=True)
class StudyExclusion:
    """What rules a study out as a whole.

    Attributes
    ----------
    runs : MetadataFilter
        A study of which it keeps no run is ruled out.
    ids : list of str
        Ids by which a study is excluded wherever its source's table has one as a word.
    title_words : list of str
        Words of which a study's title must have one; any title will do if there are none.
    """

    runs: MetadataFilter
    ids: list[str] = field(default_factory=list)
    title_words: list[str] = field(default_factory=list)


def why_ruled_out(planned_runs: set[str], paths: Mapping[str, Path], exclusion: StudyExclusion) -> str | None:
    """Words for why a study's counts need not be fetched, or None if some run may be kept.

    `paths` are its good tables by kind: source and recount_qc, and recount_pred if there is one.
    """
    excluded = ids_in_metadata(paths["source"], exclusion.ids)
    if excluded:
        return f"excluded: {', '.join(excluded)} in its metadata"
    if exclusion.title_words and not has_word(title(paths["source"]), exclusion.title_words):
        return f"its title has none of the words {', '.join(exclusion.title_words)}"
    runs = run_table(planned_runs, planned_runs, read_tables(paths))
    reasons = metadata_reasons(runs, exclusion.runs)
    if len(reasons) < len(runs):
        return None
    counts = Counter(reason for _, reason, _ in reasons)
    listed = ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items()))
    return f"metadata rule out all {len(runs)} runs: {listed}"


def title(path: Path) -> str:
    """Title of the study that a source's table is of; empty if the source gives none."""
    table = read_text_table(path)[1]
    titles = table["study_title"].to_pylist() if "study_title" in table.column_names else []
    return next((text for text in titles if text), "")


def has_word(text: str, words: Iterable[str]) -> bool:
    """Whether a text has one of some words or phrases, in any case; part of a word is no word."""
    choice = "|".join(map(re.escape, words))
    return bool(re.search(rf"(?<![^\W_])(?:{choice})(?![^\W_])", text, re.IGNORECASE))


def ids_in_metadata(path: Path, ids: Iterable[str]) -> list[str]:
    """Those of `ids` that a metadata table has as words, in any case, sorted."""
    if not ids:
        return []
    asked = {accession(name): name for name in ids}
    words = re.compile(rf"(?<![A-Z0-9])(?:{'|'.join(map(re.escape, asked))})(?![A-Z0-9])")
    with open_gzip(path) as handle:
        lines = (line.decode(errors="replace").upper() for line in handle)
        return sorted({asked[word] for line in lines for word in words.findall(line)})

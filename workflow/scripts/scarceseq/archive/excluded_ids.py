"""What became of the ids that the config excludes: an id that nothing knows may leave its study in the training set."""

import logging
import re
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from scarceseq.archive.manifest import Entry
from scarceseq.archive.plan import accession
from scarceseq.errors import InputError

log = logging.getLogger(__name__)

COLUMNS = ["id", "projects"]


def ids_table(led: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """`COLUMNS`, one row per id; projects separated by commas, those of `scarceseq.archive.plan.projects_of_ids`."""
    return pd.DataFrame([(name, ",".join(there)) for name, there in led.items()], columns=COLUMNS)


def with_metadata(
    ids: pd.DataFrame, entries: Iterable[Entry], others: Iterable[str], must_be_found: bool
) -> pd.DataFrame:
    """The table of ids, of `ids_table`, with the studies whose metadata have them.

    Parameters
    ----------
    entries : iterable of Entry
        Of all manifests; a study that its metadata exclude says so in its detail.
    others : iterable of str
        Accessions of studies of joined corpora.
    must_be_found : bool
        Whether an id that nothing knows stops the run by an `InputError`.
    """
    words: dict[str, set[str]] = {}
    for entry in entries:
        if entry.status == "skipped" and (entry.detail or "").startswith("excluded: "):
            for word in re.split(r"[\s,]+", entry.detail):
                words.setdefault(accession(word), set()).add(entry.project)
    for name in others:
        words.setdefault(accession(name), set()).add(name)
    led = [
        ",".join(sorted({*filter(None, str(projects).split(",")), *words.get(accession(name), ())}))
        for name, projects in zip(ids["id"], ids["projects"].fillna(""), strict=True)
    ]
    table = ids[["id"]].assign(projects=led)
    nowhere = table.loc[table["projects"] == "", "id"].astype(str).tolist()
    if nowhere:
        said = f"excluded ids that no table and no metadata have: {', '.join(nowhere)}"
        if must_be_found:
            raise InputError(
                f"config key archive.excluded_studies: {said}; correct them, or name their projects in "
                "archive.study_accessions (excluded_must_be_found is set)"
            )
        log.warning(said)
    return table

"""Studies that their metadata rule out as a whole, told before their counts are fetched."""

import re
from collections import Counter

from scarceseq.archive.filters import metadata_reasons
from scarceseq.archive.metadata import read_tables, run_table
from scarceseq.archive.tables import open_gzip


def why_ruled_out(planned_runs, paths, settings, excluded_ids):
    """Words for why a study's counts need not be fetched, or None if some run may be kept.

    Parameters
    ----------
    planned_runs : set of str
    paths : dict of {str: path}
        Good tables by kind: source and recount_qc, and recount_pred if there is one.
    settings : MetadataFilter
    excluded_ids : list of str
        Ids by which a study is excluded wherever its source's table has one as a word.
    """
    found = ids_in_metadata(paths["source"], excluded_ids)
    if found:
        return f"excluded: {', '.join(found)} in its metadata"
    runs = run_table(planned_runs, planned_runs, read_tables(paths))
    reasons = metadata_reasons(runs, settings)
    if len(reasons) < len(runs):
        return None
    counts = Counter(reason for _, reason, _ in reasons)
    told = ", ".join(f"{number} {reason}" for reason, number in sorted(counts.items()))
    return f"metadata rule out all {len(runs)} runs: {told}"


def ids_in_metadata(path, ids):
    """Those of `ids` that a metadata table has as words, sorted."""
    if not ids:
        return []
    words = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(map(re.escape, ids))})(?![A-Za-z0-9])")
    with open_gzip(path) as handle:
        return sorted({word for line in handle for word in words.findall(line.decode(errors="replace"))})

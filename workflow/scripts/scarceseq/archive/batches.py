"""Into which batches the archive's studies are divided, as far as the config alone tells."""

from collections.abc import Mapping
from typing import Any


def batch_names(archive: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Ordinary batches, and the giants that have one of their own, by the config's section `archive`.

    Where studies are named or drawn, there are no more batches than studies, and a giant has one of its own only if it
    is named.
    """
    named, drawn = set(archive["studies"]), archive["draw_studies"]
    giants = [study for study in archive["giant_studies"] if study in named or not (named or drawn)]
    most = archive["batches"]
    if named:
        most = min(most, max(1, len(named) - len(giants)))
    if drawn:
        most = min(most, drawn)
    return [f"batch_{index}" for index in range(most)], giants

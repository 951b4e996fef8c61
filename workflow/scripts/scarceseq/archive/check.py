"""Whether the keys of the sections `archive` and `user_studies` fit together."""

from pathlib import Path
from typing import Any

from scarceseq.errors import InputError

# First letters of the codes of an organism's annotations.
LETTERS = {"mouse": "M", "human": "GFRES"}


def fill_in_studies(config: dict[str, Any]) -> None:
    """Add the accessions of `archive.studies_file` to `archive.studies`, so that both are planned alike."""
    archive = config.get("archive")
    if not archive or not archive["studies_file"]:
        return
    from scarceseq.user_tables import read_first_cells  # what reads tables is slow to import

    listed = read_first_cells(archive["studies_file"])
    if not listed:
        raise InputError(f"config key archive.studies_file: {archive['studies_file']} names no study")
    archive["studies"] = list(dict.fromkeys([*archive["studies"], *listed]))


def check(config: dict[str, Any]) -> None:
    """Refuse combinations of keys of the archive and of the user's studies that cannot work."""
    archive = config.get("archive")
    if not archive:
        return
    both = sorted(set(archive["studies"]) & set(archive["excluded_studies"]))
    if both:
        raise InputError(f"config key archive.excluded_studies: {', '.join(both)} is also in archive.studies")
    if 0 < archive["max_study_runs"] < archive["min_runs"]:
        raise InputError("config key archive.max_study_runs: is below archive.min_runs, so that no study is left")
    if archive["annotation"][0] not in LETTERS[archive["organism"]]:
        raise InputError(f"config key archive.annotation: '{archive['annotation']}' is none of {archive['organism']}")
    for mirror in archive["mirrors"]:
        generated = mirror.startswith(f"results/{config['name']}/")
        if "://" not in mirror and not generated and not Path(mirror).is_dir():
            raise InputError(f"config key archive.mirrors: there is no folder '{mirror}'")
    names = [study["name"] for study in config.get("user_studies", [])]
    if "corpus" in names:
        raise InputError("config key user_studies: a study cannot be named 'corpus', its embedding would be ambiguous")
    for study in config.get("user_studies", []):
        if names.count(study["name"]) > 1:
            raise InputError(f"config key user_studies: two studies are named '{study['name']}'")
        _check_study(study, archive["organism"], config["corpus"]["orthologues"])


def _check_study(study: dict[str, Any], organism: str, orthologues: dict[str, Any] | None) -> None:
    """Refuse a user's study that lacks a table which its other keys need."""
    key, other = f"config key user_studies: '{study['name']}'", study["organism"] not in (None, organism)
    if study["label_columns"] and not study["labels"] and not study["counts"].lower().endswith(".h5ad"):
        raise InputError(f"{key} has label_columns, but no table of labels")
    if other and not (study["annotation"] and orthologues):
        raise InputError(
            f"{key} is of {study['organism']}, the archive of {organism}: it needs its own "
            "`annotation`, and `corpus.orthologues`"
        )
    if study["annotation"] and not other:
        raise InputError(f"{key} has an annotation of its own, but is of the archive's organism")

"""Doubles: perturbations of two genes at once, named by both, and splits of a screen that holds some.

A double of a test set is the harder to predict the fewer of its genes the pool has seen: strata ``seen0``, ``seen1``
and ``seen2`` of GEARS (Roohani et al. 2024), beside ``single``, genes that were not seen at all.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from scarceseq.errors import InputError
from scarceseq.screen.settings import ScreenSettings
from scarceseq.seeds import derive

JOINT = "+"
ROLES = {"train": "pool", "val": "pool", "test": "test"}
"""Lists of a published split and what they are here: no predictor chooses an epoch by validation perturbations, and
GEARS counts their genes as seen."""
CONTROL = "ctrl"


def genes_of(name: str) -> list[str]:
    """The perturbed genes of a perturbation: one, or the two of a double."""
    return name.split(JOINT)


def combined(genes: Iterable[str]) -> str:
    """Name of a perturbation of these genes, the same in whichever order they come."""
    return JOINT.join(sorted(genes))


def is_double(name: str) -> bool:
    """Whether a perturbation is of two genes."""
    return JOINT in name


def strata_of(test: Sequence[str] | np.ndarray, pool: Sequence[str] | np.ndarray) -> np.ndarray:
    """How many genes of each test double occur in some perturbation of the pool: seen0, seen1, seen2, or single."""
    seen = {gene for name in pool for gene in genes_of(name)}
    counts = [sum(gene in seen for gene in genes_of(name)) for name in test]
    names = [f"seen{count}" if is_double(name) else "single" for name, count in zip(test, counts, strict=True)]
    return np.array(names, dtype=str)


def split_doubles(perturbations: Sequence[str], settings: ScreenSettings, seed: int) -> pd.DataFrame:
    """Random pools and test sets by gene, as the split ``simulation`` of GEARS.

    A share of the genes is unseen: whatever perturbs one of them is tested. Of the doubles of two seen genes a share
    goes to the pool, the rest is tested; so is nothing else.

    The table is that of `scarceseq.screen.splits.split_perturbations`; the sizes of the roles vary between splits.
    """
    names = np.array(sorted(perturbations))
    genes = np.array(sorted({gene for name in names for gene in genes_of(name)}))
    count = round(settings.test_share * len(genes))
    tables = []
    for split in range(settings.splits):
        generator = np.random.default_rng(derive(seed, "split", split))
        unseen = set(generator.permutation(genes)[:count])
        inside = np.array([unseen.isdisjoint(genes_of(name)) for name in names])
        doubles = np.flatnonzero(inside & [is_double(name) for name in names])
        kept = int(settings.pool_doubles * len(doubles))
        inside[generator.permutation(doubles)[kept:]] = False
        if inside.all() or not inside.any():
            raise InputError(
                f"a test share of {settings.test_share} of {len(genes)} genes leaves {int(inside.sum())} of "
                f"{len(names)} perturbations to learn from; change the screen's key test_share"
            )
        role = np.where(inside, "pool", "test")
        tables.append(pd.DataFrame({"split": split, "perturbation": names, "role": role}))
    return pd.concat(tables, ignore_index=True)


def read_published_split(path: str | Path, perturbations: Sequence[str]) -> pd.DataFrame:
    """A split that others published, of the perturbations that the screen has.

    Parameters
    ----------
    path : path
        JSON object with lists of names (``A+B``, ``A+ctrl``) as ``train``, ``val`` (may be absent) and ``test``; those
        of ``val`` join the pool. Perturbations that it does not name are in neither role and lack.
    perturbations : sequence of str
        Of the screen.

    Raises
    ------
    InputError
        If the file is no such object, names a perturbation on both sides, or has none of the screen's on one of them.
    """
    try:
        with open(path, encoding="utf-8") as handle:
            lists = json.load(handle)
        roles: dict[str, set[str]] = {"pool": set(), "test": set()}
        for key, role in ROLES.items():
            for name in lists.get(key, []) if key == "val" else lists[key]:
                roles[role].add(combined(gene for gene in genes_of(name) if gene != CONTROL))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: this is no split; a JSON object with the lists train and test, and perhaps val, is expected "
            f"({error})"
        ) from error
    both = sorted((roles["pool"] & roles["test"]) - {""})
    if both:
        raise InputError(f"{path}: {both[0]} is to be learned from and tested; name it on one side")
    rows = [(0, name, role) for name in sorted(perturbations) for role, names in roles.items() if name in names]
    table = pd.DataFrame(rows, columns=["split", "perturbation", "role"])
    missing = {"pool", "test"} - set(table["role"])
    if missing:
        raise InputError(
            f"{path}: none of the {len(perturbations)} perturbations of the screen is for the {sorted(missing)[0]}; "
            "check that both name genes alike, and the screen's key doubles"
        )
    return table

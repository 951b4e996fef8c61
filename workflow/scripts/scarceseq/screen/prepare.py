"""A screen made ready for the benchmark: deltas, differential genes, splits."""

from pathlib import Path
from typing import Any

from scarceseq.joins import match_names
from scarceseq.screen.combinations import is_double, read_published_split, split_doubles
from scarceseq.screen.coordinates import read_coordinates
from scarceseq.screen.differential import no_differential_genes
from scarceseq.screen.groups import Groups
from scarceseq.screen.labels import perturbed_genes
from scarceseq.screen.profiles import read_profiles
from scarceseq.screen.pseudobulk import pseudobulk
from scarceseq.screen.settings import ScreenSettings
from scarceseq.screen.splits import split_perturbations
from scarceseq.screen.symbols import current_symbols
from scarceseq.seeds import derive


def prepare_screen(
    name: str,
    path: str,
    settings: ScreenSettings,
    seed: int,
    symbols: str | Path | None = None,
    published: str | Path | None = None,
) -> dict[str, Any]:
    """Everything later stages need of one screen.

    Parameters
    ----------
    path : str
        Kind ``cells``: output of `normalise_cells` as `.h5ad`; otherwise the user's file.
    symbols : path, optional
        Table of renamed genes; not for kind ``cells``, which has been through it.
    published : path, optional
        A split that others published, for a screen with doubles.

    Returns
    -------
    dict
        profiles (AnnData), differential (DataFrame), splits (DataFrame), summary (dict), joins (list of Join).
    """
    seed = derive(seed, "screen", name)
    if settings.kind == "cells":
        with Groups(path, settings.drop_cells_expressing_target, settings.min_cells) as groups:
            profiles, differential = pseudobulk(groups, settings, seed)
            counts: dict[str, Any] = {"perturbations_left_too_small": groups.too_small}
        counts |= {"cells": int(profiles.obs["cells"].sum()), "perturbations": profiles.n_obs, "genes": profiles.n_vars}
        counts["reliability_median"] = round(float(profiles.obs["reliability"].median()), 6)
    else:
        read = read_profiles if settings.kind == "profiles" else read_coordinates
        profiles, counts = read(path, settings, current_symbols(symbols, settings))
        differential = no_differential_genes()
    if settings.doubles:
        names = list(profiles.obs_names)
        table = read_published_split(published, names) if published else split_doubles(names, settings, seed)
        counts["doubles"] = sum(is_double(perturbation) for perturbation in names)
    else:
        table = split_perturbations(profiles.obs_names, settings.splits, settings.test_share, seed)
    roles = table[table["split"] == 0]["role"].value_counts()
    summary = {
        "screen": name,
        "kind": settings.kind,
        "transductive": settings.transductive,
        "splits": int(table["split"].nunique()),
        "pool": int(roles["pool"]),
        "test": int(roles["test"]),
        **counts,
    }
    joins = []
    if settings.kind != "coordinates":
        perturbed = sorted(perturbed_genes(profiles.obs_names))
        joins = [match_names(perturbed, profiles.var_names, "perturbations to genes of the screen", str(path))]
    result = {"profiles": profiles, "differential": differential, "splits": table, "summary": summary}
    return result | {"joins": joins}

"""Mean profiles in coordinates: a matrix of perturbations x components, as public pseudobulk resources give it."""

from typing import Any

import anndata
import numpy as np
import pandas as pd

from scarceseq.errors import InputError
from scarceseq.screen.settings import ScreenSettings, control_names
from scarceseq.screen.symbols import up_to_date


def read_coordinates(
    path: str, settings: ScreenSettings, current: dict[str, str]
) -> tuple[anndata.AnnData, dict[str, Any]]:
    """Differences to control in coordinates, one row per gene.

    The `.npz` has an array of names and one of differences; pickled objects are refused. Parameters and what is
    returned are those of `scarceseq.screen.profiles.read_profiles`, with components in place of genes.

    Raises
    ------
    InputError
        For a missing array, shapes that do not fit, values that are not finite.
    """
    with np.load(path, allow_pickle=False) as archive:
        for key, setting in ((settings.name_key, "name_key"), (settings.delta_key, "delta_key")):
            if key not in archive.files:
                raise InputError(f"{path}: there is no array '{key}' ({setting}); it has {', '.join(archive.files)}")
        names, delta = archive[settings.name_key].astype(str), np.asarray(archive[settings.delta_key], dtype=float)
    if delta.ndim != 2 or len(names) != len(delta):
        raise InputError(
            f"{path}: '{settings.delta_key}' has shape {delta.shape}, which does not fit {len(names)} names"
        )
    left_out = np.isin(names, [*(control_names(settings.control) or ["control"]), *settings.exclude]) | (names == "")
    names, delta = names[~left_out], delta[~left_out]
    if not np.isfinite(delta).all():
        bad = names[~np.isfinite(delta).all(axis=1)]
        raise InputError(
            f"{path}: the profile of {bad[0]} (and {len(bad) - 1} more) holds values that are not finite; exclude it"
        )
    names, renamed = up_to_date(names, current)
    frame = pd.DataFrame(delta).groupby(np.array(names), sort=True)
    mean = frame.mean()
    if len(mean) < 2:
        raise InputError(
            f"{path}: {len(mean)} perturbation is left after control and excluded rows; check name_key and control"
        )
    result = anndata.AnnData(mean.to_numpy(dtype=np.float32))
    result.obs_names = mean.index.astype(str)
    result.var_names = [f"coordinate_{column + 1}" for column in range(delta.shape[1])]
    result.obs["rows"] = frame.size().to_numpy()
    result.uns = {"kind": "coordinates", "transductive": settings.transductive}
    counts = {
        "perturbations": len(mean),
        "coordinates": delta.shape[1],
        "rows": len(names),
        "rows_renamed": renamed,
        "rows_left_out": int(left_out.sum()),
    }
    return result, counts

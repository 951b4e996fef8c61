"""Profiles that somebody else predicted, scored on the same splits as the predictors here."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd

from scarceseq.errors import InputError
from scarceseq.perturbation.evaluate import Watch, judge
from scarceseq.user_tables import read_user_table

KEYS = ["split", "perturbation"]
GIVEN = "given"


def read_predictions(path: str | Path, genes: Sequence[str]) -> tuple[pd.DataFrame, np.ndarray]:
    """Splits and perturbations of predicted profiles, and their values for some genes.

    Parameters
    ----------
    path : path
        See `scarceseq.perturbation.settings.GivenPredictions`.
    genes : sequence of str
        The screen's, in their order; the file may hold others too.

    Returns
    -------
    keys : pandas.DataFrame
        split (int), perturbation (str).
    values : numpy.ndarray, (rows, genes)

    Raises
    ------
    InputError
        If a column or a gene is missing, a split is no whole number, or a value no finite number.
    """
    if str(path).endswith(".h5ad"):
        keys, names, values = _from_h5ad(path)
    else:
        table = read_user_table(path, KEYS)
        keys = table.text(KEYS).set_axis(KEYS, axis=1)
        places = [place for place, name in enumerate(table.header) if name not in KEYS and name]
        names, values = [table.header[place] for place in places], None
    position = pd.Index(names).get_indexer(pd.Index(genes))
    missing = np.asarray(genes, dtype=str)[position < 0]
    if len(missing):
        raise InputError(
            f"{path}: {len(missing)} of the screen's {len(genes)} genes are not predicted, such as {missing[0]}; give "
            "a column for each gene of pseudobulk.h5ad"
        )
    values = table.numbers([places[place] for place in position]) if values is None else values[:, position]
    wrong = ~np.isfinite(values)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        split, perturbation = keys.iloc[row][KEYS]
        raise InputError(f"{path}: {perturbation} of split {split} has no finite number for gene {genes[column]}")
    splits = pd.to_numeric(keys["split"], errors="coerce")
    if splits.isna().any() or (splits != splits.round()).any():
        raise InputError(f"{path}: a split is no whole number ('{keys['split'][splits.isna()].head(1).to_list()}')")
    return keys.assign(split=splits.astype(int)), values


def _from_h5ad(path: str | Path) -> tuple[pd.DataFrame, Sequence[str], np.ndarray]:
    try:
        data = anndata.read_h5ad(path)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: this cannot be read as an .h5ad file ({error}); write it again") from error
    lacking = [key for key in KEYS if key not in data.obs]
    if lacking or data.X is None:
        raise InputError(f"{path}: obs has no column '{(lacking or KEYS)[0]}', or there is no X")
    dense = data.X.toarray() if hasattr(data.X, "toarray") else np.asarray(data.X)
    keys = data.obs[KEYS].astype(str).reset_index(drop=True)
    return keys, data.var_names.to_list(), dense.astype(float)


def score_given(
    identity: dict[str, str], screen: dict[str, Any], path: str | Path, values: str, watch: Watch | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Values of every metric of given predictions, as `scarceseq.perturbation.evaluate.evaluate` has them.

    Parameters
    ----------
    identity, screen : dict
        See `evaluate`; the predictor is the name of the predictions.
    values : {'delta', 'expression'}
        What the file holds.
    watch : function (split, pool, test, profile), optional
        See `evaluate`; `profile` gives what the file predicts, of a perturbation of the pool that it does not predict
        the measured difference, and NaN otherwise.

    Raises
    ------
    InputError
        As `read_predictions`, and if a test perturbation of a split is missing or given twice, or a profile is the
        measured one.
    """
    profiles = screen["profiles"]
    names = profiles.obs_names.to_numpy(dtype=str)
    keys, predicted = read_predictions(path, profiles.var_names.to_list())
    if values == "expression":
        predicted = predicted - profiles.var["control_mean"].to_numpy(float)
    delta = np.asarray(profiles.X, dtype=float)

    def predict(split: int, pool: np.ndarray, test: np.ndarray) -> np.ndarray:
        rows = np.flatnonzero(keys["split"] == split)
        given = pd.Index(keys["perturbation"].iloc[rows])
        if given.has_duplicates:
            raise InputError(f"{path}: split {split} has {given[given.duplicated()][0]} twice")
        place = given.get_indexer(pd.Index(names[test]))
        if (place < 0).any():
            raise InputError(
                f"{path}: split {split} has no prediction of {names[test][place < 0][0]} ({int((place < 0).sum())} of "
                f"{len(test)} test perturbations are missing); screen/{identity['screen']}/splits.tsv lists them"
            )
        chosen = predicted[rows[place]]
        same = np.isclose(chosen, delta[test], rtol=1e-5, atol=1e-7).all(axis=1)
        if same.any():
            raise InputError(
                f"{path}: the prediction of {names[test][same][0]} in split {split} is the measured profile itself; "
                "predict it without having seen it"
            )
        if watch is not None:
            usable = np.where(np.isin(np.arange(len(names)), pool)[:, None], delta, np.nan)
            place = given.get_indexer(pd.Index(names))
            usable[place >= 0] = predicted[rows[place[place >= 0]]]
            watch(split, pool, test, lambda positions: usable[positions])
        return chosen

    return judge(identity, screen, predict)

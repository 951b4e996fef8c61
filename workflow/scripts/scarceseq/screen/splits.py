"""Splits of a screen by perturbation: a pool to select from, and a test set."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from scarceseq.errors import InputError
from scarceseq.seeds import derive


def split_perturbations(perturbations: Sequence[str], splits: int, test_share: float, seed: int) -> pd.DataFrame:
    """Random pool and test sets of single-gene perturbations, without control.

    Columns are split (from 0), perturbation, role (pool or test), sorted; every split has equally many of each role.
    """
    names = np.array(sorted(perturbations))
    if len(set(names)) != len(names):
        raise InputError("splits: a perturbation is listed twice")
    test = round(test_share * len(names))
    if test < 1 or test >= len(names):
        raise InputError(
            f"a test share of {test_share} of {len(names)} perturbations leaves {test} for the test and "
            f"{len(names) - test} to choose from; change the screen's key test_share"
        )
    tables = []
    for split in range(splits):
        role = np.full(len(names), "pool", dtype=object)
        role[np.random.default_rng(derive(seed, "split", split)).permutation(len(names))[:test]] = "test"
        tables.append(pd.DataFrame({"split": split, "perturbation": names, "role": role}))
    return pd.concat(tables, ignore_index=True)

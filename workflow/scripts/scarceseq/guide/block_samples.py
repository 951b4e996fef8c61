"""From the plan's samples to the scouts' tensors."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch

from scarceseq.errors import InputError
from scarceseq.guide.scout_data import ScoutSamples
from scarceseq.guide.settings import HELD_OUT, TRAIN
from scarceseq.pretrain.model import Base
from scarceseq.pretrain.samples import LabelledMatrix


def samples_of_block(
    plan: pd.DataFrame, block: str, scouts_per_block: int, matrix: LabelledMatrix, base: Base
) -> Iterator[ScoutSamples]:
    """Yield the samples of each scout of one block, reading each scout's samples when its turn comes.

    `plan` has ``scout``, ``sample``, ``label``, ``role``. ``block_<b>`` holds scouts b * `scouts_per_block` and
    following. Raises InputError if the plan names a sample that the corpus does not have.
    """
    place = int(block.removeprefix("block_"))
    row_of = pd.Series(np.arange(len(matrix.samples)), index=matrix.samples)
    chosen = plan[plan["scout"] // scouts_per_block == place]
    for scout, table in chosen.groupby("scout", sort=True):
        unknown = table.loc[~table["sample"].isin(row_of.index), "sample"]
        if len(unknown):
            raise InputError(f"scouts.parquet: sample {unknown.iloc[0]} is not in the corpus; plan the scouts again")
        tensors = []
        for role in (TRAIN, HELD_OUT):
            of_part = table[table["part"] == role]
            rows = row_of[of_part["sample"]].to_numpy()
            tensors.append(base.standardise(matrix.expression[rows]))
            tensors.append(torch.tensor(of_part["label"].to_numpy(), dtype=torch.int64, device=base.mean.device))
        yield ScoutSamples(int(scout), *tensors)

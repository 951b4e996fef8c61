"""Tables of the guide stage: accuracy of the scouts, mobility of the genes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch


def accuracy_table(outcomes: list[dict[str, Any]]) -> pd.DataFrame:
    """``scout``, ``train_accuracy``, ``held_out_accuracy``, ``kept``, by scout."""
    columns = ["scout", "train_accuracy", "held_out_accuracy", "kept"]
    return pd.DataFrame(outcomes, columns=columns).sort_values("scout", ignore_index=True)


def mobility_table(mobility: torch.Tensor, gene_ids: Sequence[str], gene_names: Sequence[str]) -> pd.DataFrame:
    """``gene_id``, ``gene_name``, ``mobility``, ``rank`` (1 is the most mobile gene), by rank."""
    table = pd.DataFrame({"gene_id": gene_ids, "gene_name": gene_names, "mobility": mobility.numpy()})
    table = table.sort_values(["mobility", "gene_id"], ascending=[False, True], ignore_index=True)
    return table.assign(rank=np.arange(1, len(table) + 1))

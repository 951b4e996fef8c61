"""P values of several comparisons at once."""

import numpy as np
import pandas as pd


def holm(p):
    """P values adjusted for their number (Holm 1979), NaN where there is none."""
    known = p.dropna().sort_values(kind="stable")
    adjusted = np.maximum.accumulate(known.to_numpy() * np.arange(len(known), 0, -1))
    return pd.Series(np.minimum(adjusted, 1), index=known.index).reindex(p.index)

"""Further features of a study's samples, each made of that sample alone: of the packed model, and of gene sets."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scarceseq.errors import InputError
from scarceseq.gene_sets import read_gene_sets, rows_of_sets

if TYPE_CHECKING:
    import torch

    from scarceseq.pretrain.model import Base

LEAST_SET, MOST_SET = 5, 500


def model_features(
    base: "Base", components: "Mapping[str, torch.Tensor]", expression: np.ndarray
) -> dict[str, np.ndarray]:
    """The frozen network's embedding, and scores on the principal components of the model's studies.

    `components` are from `scarceseq.guide.reference.reference_components`, `expression`, (samples, genes of the model),
    is log2(TPM + 1), float32. ``embedding`` is (samples, width), ``pca`` (samples, components), of unit variance in the
    model's studies.
    """
    import torch

    with torch.no_grad():
        embedding = base.network.embed(torch.from_numpy(expression).to(base.mean.device)).double().cpu().numpy()
    centre, axes, variances = (components[name].double().numpy() for name in ("centre", "axes", "variances"))
    scores = (base.standardise(expression).double().cpu().numpy() - centre) @ axes.T
    return {"embedding": embedding, "pca": scores / np.sqrt(np.maximum(variances, 1e-12))}


def gene_set_scores(counts: np.ndarray, names: pd.Series, path: str | Path) -> np.ndarray:
    """Mean rank of each set's genes within each sample, from -1 (lowest) to 1 (singscore, Foroutan et al. 2018).

    Ranks see one sample at a time, so that no sample's score depends on another's. `counts` are (genes, samples),
    `names` their symbols, as the sets of the GMT file name the genes, in any case. (samples, sets), of sets with 5 to
    500 genes in the table; raises InputError if there is no such set.
    """
    from scipy.stats import rankdata

    pairs = read_gene_sets(path)
    sets = rows_of_sets(pairs, names, LEAST_SET, MOST_SET)
    if not sets:
        raise InputError(
            f"config key own_study.gene_sets: no set of {path} has {LEAST_SET} to {MOST_SET} genes of the table; it "
            f"names genes such as {', '.join(pairs['gene'].head(3)) or 'none of the table'}, the table "
            f"{', '.join(map(str, names[:3]))}: both must use symbols"
        )
    ranks = (2 * rankdata(counts, axis=0) - 1) / len(counts) - 1
    return np.stack([ranks[rows].mean(axis=0) for rows in sets.values()], axis=1)


def features_table(samples: pd.Series, features: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """sample, and columns named ``<kind>.<number>``; read by `scarceseq.own_study.training_set.features_of`."""
    tables = [pd.DataFrame(values).add_prefix(f"{kind}.") for kind, values in features.items()]
    return pd.concat([pd.Series(samples.to_numpy(), name="sample"), *tables], axis=1)

"""The card of a packed model: what it is, what it was trained on, and how well it did there."""

import datetime
from collections.abc import Mapping
from typing import Any

import pandas as pd

METRICS_DIGITS = 6


def make_card(
    name: str,
    information: dict[str, Any],
    organism: str,
    splits: pd.DataFrame,
    samples: pd.DataFrame,
    evaluation: pd.DataFrame,
    accuracy: pd.DataFrame,
    scheme: Mapping[str, Any],
    trained: float,
) -> dict[str, Any]:
    """What whoever gets the model should know of it, for JSON.

    `information` is ``model.json`` of the base model, `evaluation` its ``evaluation.tsv``, which may be empty,
    `accuracy` the scouts' ``accuracy.tsv``, and `scheme` their settings. `splits` has split, study, role; `samples` has
    sample, study. `trained` is when, in seconds since 1970.
    """
    roles = splits[splits["split"] == information["split"]].set_index("study")["role"]
    kept = accuracy[accuracy["kept"]]
    return {
        "name": name,
        "organism": organism,
        "date": datetime.datetime.fromtimestamp(trained, datetime.UTC).date().isoformat(),
        "architecture": information["architecture"],
        "genes": len(information["gene_ids"]),
        "commit": information["commit"],
        "corpus_fingerprint": information["corpus_fingerprint"],
        "training_studies": information["training_studies"],
        "scout_studies": sorted(roles.index[roles == "scout"]),
        "training_samples": int(samples["study"].isin(information["training_studies"]).sum()),
        "scheme": scheme,
        "scouts_kept": len(kept),
        "metrics": {
            "scouts_held_out_accuracy": round(float(kept["held_out_accuracy"].mean()), METRICS_DIGITS),
            "held_out_studies": _means(evaluation),
        },
    }


def _means(evaluation: pd.DataFrame) -> dict[str, Any]:
    """Mean over the studies of each role of each metric and predictor."""
    if evaluation.empty:
        return {}
    means = evaluation.groupby(["split_role", "metric", "predictor"])["value"].mean().round(METRICS_DIGITS)
    return {" ".join(key): value for key, value in means.items()}


def own_organism(samples: pd.DataFrame, genes: pd.DataFrame) -> str:
    """The organism whose genes a corpus has; others that were joined to it have gene lengths of their own.

    `samples` has the column organism, `genes` a column ``<organism>_bp_length`` for each organism that was joined.
    """
    return next(name for name in sorted(samples["organism"].unique()) if f"{name}_bp_length" not in genes)

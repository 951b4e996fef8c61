"""Profiles of perturbations that were not measured, learned from those that were."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import anndata
import numpy as np
import pandas as pd

from scarceseq import registry
from scarceseq.errors import InputError
from scarceseq.network.graph import Graph
from scarceseq.perturbation.features import Source, mean_kernel_features
from scarceseq.perturbation.prior import Prior
from scarceseq.prediction.held_out import Task, accuracy, best, cross_errors, folds_of, held_out, stratum
from scarceseq.prediction.interest import genes_of_interest, neighbours_of
from scarceseq.prediction.settings import PredictionSettings
from scarceseq.screen.agreement import targeted_gene_mask
from scarceseq.seeds import derive

LEAST = 10
"""Perturbations below which nothing is learned."""


@dataclass(frozen=True)
class Prediction:
    """What is handed to the user.

    `profiles`: predicted differences to control, perturbations x genes; layer ``sd``, their standard deviations; obs:
    measured, nearest (the most similar measured gene), similarity, stratum. `changed`: perturbation, rank, gene,
    change, sd, mean_effect (of what was measured), the genes that change most; empty for coordinates. `neighbours`,
    `pages`: of the genes of interest, see `scarceseq.prediction.interest.neighbours_of`; perturbation, measured,
    similarity, stratum. `choice`: predictor, relative_error (of folds of all perturbations), chosen. `accuracy`: from
    `scarceseq.prediction.held_out.accuracy`.
    """

    profiles: anndata.AnnData
    changed: pd.DataFrame
    neighbours: pd.DataFrame
    pages: pd.DataFrame
    choice: pd.DataFrame
    accuracy: pd.DataFrame
    summary: dict[str, Any]


def predict_screen(
    profiles: anndata.AnnData, sources: Sequence[Source], genes: Sequence[str], settings: PredictionSettings, seed: int
) -> Prediction:
    """Choose a predictor on held-out perturbations, train it on all, predict the genes asked for.

    `profiles` are measured differences to control, as the rule prepare_screen writes them. `genes` are to be predicted;
    empty for all genes of the sources. What was measured is predicted too, for comparison. InputError if the screen has
    fewer than `LEAST` perturbations.
    """
    measured, columns = profiles.obs_names.to_numpy(dtype=str), profiles.var_names.to_numpy(dtype=str)
    if len(measured) < LEAST:
        raise InputError(
            f"prediction: the screen has {len(measured)} perturbations, of which nothing can be learned; "
            f"{LEAST} are the least"
        )
    names = [source.nodes if isinstance(source, Graph) else source.index.to_numpy(dtype=str) for source in sources]
    wanted = set(genes) if len(genes) else set(np.concatenate(names))
    asked = np.array(sorted(wanted | set(settings.pages)), dtype=str)
    everyone = np.concatenate([measured, np.setdiff1d(asked, measured)])
    similar = mean_kernel_features(sources, everyone, constant=0.0)
    prior = Prior(everyone, columns, kernels=tuple(sources))
    predictors = {name: registry.load("perturbation.predictors", name) for name in settings.predictors}
    task = Task(
        np.asarray(profiles.X, dtype=np.float64),
        targeted_gene_mask(measured, columns),
        (similar[: len(measured)] @ similar[: len(measured)].T).toarray(),
        {name: predictor.prepare(prior) for name, predictor in predictors.items()},
    )
    generator = np.random.default_rng(derive(seed, "prediction"))
    rows = np.arange(len(measured))
    errors = held_out(task, settings.predictors, settings.folds, generator)
    accuracies = accuracy(errors, settings.confidence, generator)
    folds = folds_of(len(rows), settings.folds, generator)
    name = best(task, settings.predictors, rows, folds)
    choice = choice_table(task, settings.predictors, rows, folds, name)
    made = profiles_table(task, predictors[name], name, everyone, asked, columns, similar)
    made.uns |= {"kind": str(profiles.uns["kind"]), "predictor": name}
    genes_known = str(profiles.uns["kind"]) != "coordinates"
    changed = most_changed(made, settings.top_genes if genes_known else 0, task.delta.mean(axis=0))
    strange = np.setdiff1d(asked, np.concatenate([*names, measured])).tolist()
    interesting = genes_of_interest(made, settings.pages, strange)
    near = neighbours_of(interesting, everyone, similar, task.delta, made)
    pages = made.obs.loc[interesting, ["measured", "similarity", "stratum"]].rename_axis("perturbation").reset_index()
    summary = summarise(made, accuracies.iloc[0], len(measured), settings.confidence)
    summary["outside"] = int(np.setdiff1d(asked, np.concatenate(names)).size)
    return Prediction(made, changed, near, pages, choice, accuracies, summary)


def summarise(made: anndata.AnnData, whole: pd.Series, measured: int, confidence: float) -> dict[str, Any]:
    """Facts for the page; `whole` is the accuracy of all perturbations."""
    return {
        "measured": measured,
        "predicted": int((~made.obs["measured"]).sum()),
        "columns": made.n_vars,
        "kind": made.uns["kind"],
        "predictor": made.uns["predictor"],
        "relative_error": float(whole["relative_error"]),
        "interval": [None if np.isnan(whole[key]) else float(whole[key]) for key in ("low", "high")],
        "better_than_mean": bool(whole["high"] < 1),
        "confidence": confidence,
    }


def choice_table(
    task: Task, names: Sequence[str], rows: np.ndarray, folds: list[np.ndarray], chosen: str
) -> pd.DataFrame:
    """Summed error of each predictor over folds of all perturbations, relative to the training mean's."""
    mean = cross_errors(task, "training_mean", rows, folds).sum() if "training_mean" in names else np.nan
    values = [cross_errors(task, name, rows, folds).sum() / mean for name in names]
    return pd.DataFrame({"predictor": list(names), "relative_error": values, "chosen": [n == chosen for n in names]})


def profiles_table(
    task: Task, predictor: Any, name: str, everyone: np.ndarray, asked: np.ndarray, columns: np.ndarray, similar: Any
) -> anndata.AnnData:
    """Predictions for measured and asked genes, with deviations, and how near each is to what was measured.

    A predictor without deviations gets those of the measured effects around their mean, the same for all genes.
    """
    rows, count = np.flatnonzero(np.isin(everyone, asked)), len(task.delta)
    model = task.fit(name, np.arange(count))
    predicted = predictor.predict(model, rows)
    spread = np.broadcast_to(task.delta.std(axis=0, ddof=1), predicted.shape)
    if hasattr(predictor, "deviation"):
        spread = predictor.deviation(model, rows)
    nearest, largest = nearest_measured(similar, rows, count)
    obs = pd.DataFrame(index=pd.Index(everyone[rows], name="perturbation"))
    obs["measured"] = rows < count
    obs["nearest"] = np.where(largest > 0, everyone[nearest], "")
    obs["similarity"] = np.round(largest, 6)
    obs["stratum"] = np.where(obs["measured"], "measured", [stratum(value) for value in largest])
    made = anndata.AnnData(np.asarray(predicted, dtype=np.float32), obs=obs, var=pd.DataFrame(index=columns))
    made.layers["sd"] = np.asarray(spread, dtype=np.float32)
    return made


def nearest_measured(similar: Any, rows: np.ndarray, measured: int, block: int = 1000) -> tuple[np.ndarray, np.ndarray]:
    """The most similar measured gene of each row, other than itself, and the similarity."""
    nearest, largest = np.zeros(len(rows), dtype=int), np.zeros(len(rows))
    for start in range(0, len(rows), block):
        some = rows[start : start + block]
        likeness = (similar[some] @ similar[:measured].T).toarray()
        likeness[np.flatnonzero(some < measured), some[some < measured]] = -1
        nearest[start : start + block], largest[start : start + block] = likeness.argmax(axis=1), likeness.max(axis=1)
    return nearest, np.maximum(largest, 0)


def most_changed(made: anndata.AnnData, count: int, mean: np.ndarray) -> pd.DataFrame:
    """Genes of the largest change over its standard deviation, of each perturbation, beside the mean effect; its own
    gene left out."""
    columns, tables = made.var_names.to_numpy(), []
    for row, name in enumerate(made.obs_names if count else []):
        change, spread = made.X[row].astype(float), made.layers["sd"][row].astype(float)
        score = np.where(columns == name, -1, np.abs(change) / np.where(spread > 0, spread, np.inf))
        top = np.argsort(-score, kind="stable")[:count]
        top = top[score[top] >= 0]
        place = np.arange(1, len(top) + 1)
        values = {"rank": place, "gene": columns[top], "change": change[top], "sd": spread[top]}
        values |= {"mean_effect": mean[top]}
        tables.append(pd.DataFrame({"perturbation": name} | values))
    empty = pd.DataFrame(columns=["perturbation", "rank", "gene", "change", "sd", "mean_effect"])
    return pd.concat(tables, ignore_index=True) if tables else empty

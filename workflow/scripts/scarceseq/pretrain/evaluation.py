"""What a base model is worth on held-out studies: each objective's scores, masked genes also by rivals."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch

from scarceseq import registry
from scarceseq.pretrain.components import Components, fit_components
from scarceseq.pretrain.evaluation_state import Done
from scarceseq.pretrain.imputation import ProbabilisticPCA, probabilistic_pca
from scarceseq.pretrain.masking import draw_mask
from scarceseq.pretrain.model import Base
from scarceseq.pretrain.settings import PretrainSettings
from scarceseq.pretrain.task import Batch, Task
from scarceseq.progress import follow
from scarceseq.seeds import derive

logger = logging.getLogger(__name__)

MASKED_ERROR = "masked_mse"
TUNED_AT_ONCE = 256


def evaluate(
    task: Task,
    base: Base,
    expression: np.ndarray,
    training_rows: np.ndarray,
    groups: dict[tuple[str, str], np.ndarray],
    settings: PretrainSettings,
    seed: int,
    done: Done | None = None,
) -> list[dict[str, Any]]:
    """Scores of each predictor on each held-out study, study by study.

    `expression` is log2(TPM + 1), (samples, genes). PCA is fitted on `training_rows`, those that the network was
    trained on. `groups` has the rows of each (role, study). Masks, drawn from `seed`, are the same for all predictors
    and depend on the study alone. `done` has what was done before the run was killed, and keeps more.

    Gives ``split_role``, ``study``, ``metric``, ``predictor``, ``value``, ``samples``. The masked squared error, in
    units of each gene's training variance, is also that of PCA as an imputer: ``pca`` with as many components as the
    model is wide, ``pca_tuned`` with as many as predict the validation studies best.
    """
    if not groups:
        return []

    def read(rows: np.ndarray) -> torch.Tensor:
        return base.standardise(expression[rows])

    kinds = {name: registry.load("pretrain.objectives", name).READS for name in settings.objectives}
    done, rivals = done or Done(), {}
    if "reconstruction" in kinds.values():
        rivals = _rivals(read, training_rows, groups, settings, seed, done)
    results = []
    for (role, study), rows in follow(groups.items(), "held-out studies evaluated"):
        of_study = done.of(role, study)
        if not of_study:
            scores = _scores(task.eval(), rows, read(rows), kinds, rivals, settings, derive(seed, "evaluation", study))
            of_study = [
                {"split_role": role, "study": study, "metric": metric, "predictor": predictor, "value": value}
                | {"samples": len(rows)}
                for (metric, predictor), value in scores.items()
            ]
            done.add(of_study)
        results += of_study
    _log(results)
    return results


@torch.no_grad()
def _scores(
    task: Task,
    rows: np.ndarray,
    values: torch.Tensor,
    kinds: dict[str, str | None],
    rivals: dict[str, ProbabilisticPCA | None],
    settings: PretrainSettings,
    seed: int,
) -> dict[tuple[str, str], float]:
    """(metric, predictor) to value for the z-scores of one study; what needs a mask is averaged over the masks."""
    means = {}
    whole = task.view(Batch(rows, values, torch.zeros_like(values, dtype=torch.bool)))
    for name, kind in kinds.items():
        if kind == "embedding":
            means |= {(metric, predictor): value for metric, predictor, value in task.objectives[name].scores(whole)}
    if not rivals:
        return means
    for repeat in range(settings.evaluation_masks):
        mask = _mask(tuple(values.shape), settings, derive(seed, repeat)).to(values.device)
        view = task.view(Batch(rows, values, mask))
        scores = [(MASKED_ERROR, "model", _error(view.reconstruction.cpu().numpy(), values, mask))]
        scores += [
            (MASKED_ERROR, name, _error(_imputed(rival, values, mask), values, mask)) for name, rival in rivals.items()
        ]
        for name, kind in kinds.items():
            if kind == "reconstruction":
                scores += task.objectives[name].scores(view)
        for metric, predictor, value in scores:
            means[metric, predictor] = means.get((metric, predictor), 0.0) + value / settings.evaluation_masks
    return means


def _rivals(
    read: Callable[[np.ndarray], torch.Tensor],
    training_rows: np.ndarray,
    groups: dict[tuple[str, str], np.ndarray],
    settings: PretrainSettings,
    seed: int,
    done: Done,
) -> dict[str, ProbabilisticPCA | None]:
    """What else reconstructs, by name; `pca_tuned` only if there are validation studies."""
    candidates = component_candidates(settings.width)
    fit = done.components(lambda: fit_components(read, training_rows, candidates[-1], derive(seed, "components")))
    rivals: dict[str, ProbabilisticPCA | None] = {"gene_mean": None, "pca": probabilistic_pca(fit, settings.width)}
    validation_rows = [rows for (role, _), rows in groups.items() if role == "validation"]
    if validation_rows:
        rows = np.concatenate(validation_rows)
        mask = _mask((len(rows), len(fit.centre)), settings, derive(seed, "validation components"))
        starts = follow(range(0, len(rows), TUNED_AT_ONCE), "blocks of validation samples to choose components by")
        blocks = ((read(rows[at : at + TUNED_AT_ONCE]), mask[at : at + TUNED_AT_ONCE]) for at in starts)
        rivals["pca_tuned"] = tune_probabilistic_pca(fit, blocks, candidates)
    return rivals


def _imputed(rival: ProbabilisticPCA | None, values: torch.Tensor, mask: torch.Tensor) -> np.ndarray:
    """By numpy, or on the device where the values are; the genes' means, 0, without a rival."""
    if rival is None:
        return np.zeros(values.shape)
    if values.device.type == "cpu":
        return rival.impute(values.numpy(), mask.numpy())
    return rival.impute_on_device(values, mask.to(values.device)).cpu().numpy()


def component_candidates(width: int) -> list[int]:
    """Numbers of components that are tried: an eighth, a quarter, half of the model's width, itself and twice it."""
    return sorted({max(round(width * factor), 1) for factor in (0.125, 0.25, 0.5, 1, 2)})


def tune_probabilistic_pca(
    fit: Components, blocks: Iterable[tuple[torch.Tensor, torch.Tensor]], candidates: list[int]
) -> ProbabilisticPCA:
    """Of some numbers of components of the training samples the one that predicts masked entries best.

    `blocks` are z-scores of some validation samples and what of them is masked, (samples, genes) each.
    """
    rivals = [probabilistic_pca(fit, components) for components in candidates]
    errors, masked = np.zeros(len(rivals)), 0
    for values, mask in blocks:
        share = np.array([_error(_imputed(rival, values, mask), values, mask) for rival in rivals])
        errors, masked = errors + share * int(mask.sum()), masked + int(mask.sum())
    best = int(np.argmin(errors / masked))
    logger.info("components chosen for PCA on the validation studies: %d", candidates[best])
    return rivals[best]


def _mask(shape: tuple[int, ...], settings: PretrainSettings, seed: int) -> torch.Tensor:
    samples, genes = shape
    return draw_mask(samples, genes, settings.evaluation_mask_share, seed)


def _error(prediction: np.ndarray, values: torch.Tensor, mask: torch.Tensor) -> float:
    difference = (prediction - values.cpu().numpy())[mask.cpu().numpy()]
    return float(np.mean(np.square(difference, dtype=np.float64)))


def _log(results: list[dict[str, Any]]) -> None:
    for role, metric in dict.fromkeys((row["split_role"], row["metric"]) for row in results):
        values = {}
        for row in results:
            if (row["split_role"], row["metric"]) == (role, metric):
                values.setdefault(row["predictor"], []).append(row["value"])
        text = ", ".join(f"{name} {np.mean(scores):.4f}" for name, scores in values.items())
        logger.info("%s, mean over %s studies: %s", metric, role, text)

"""How well masked genes of held-out studies are predicted: by the model, by the gene's mean, by PCA."""

import logging

import numpy as np
import torch

from scarceseq.pretrain.imputation import fit_probabilistic_pca
from scarceseq.pretrain.masking import draw_mask
from scarceseq.seeds import derive

logger = logging.getLogger(__name__)


def evaluate(base, expression, training_rows, groups, settings, seed):
    """Masked squared error, in units of the gene's training variance, of each predictor on each held-out study.

    Parameters
    ----------
    base : scarceseq.pretrain.model.Base
    expression : numpy.ndarray, (samples, genes)
        log2(TPM + 1).
    training_rows : numpy.ndarray of int
        Samples that the network was trained on; PCA is fitted on the same.
    groups : dict
        (role, study) to the study's rows.
    settings : PretrainSettings
    seed : int
        Of the masks, which are the same for all predictors and depend on the study alone.

    Returns
    -------
    list of dict
        ``split_role``, ``study``, ``predictor``, ``masked_mse``, ``samples``. Predictors: ``model``, ``gene_mean``,
        ``pca`` (as many components as the model is wide), ``pca_tuned`` (number chosen on the validation studies).
    """
    if not groups:
        return []
    predictors = _predictors(base, expression, training_rows, groups, settings, seed)
    results = []
    for (role, study), rows in groups.items():
        values = _standardised(base, expression, rows)
        errors = dict.fromkeys(predictors, 0.0)
        for repeat in range(settings.evaluation_masks):
            mask = _mask(values.shape, settings, derive(seed, "evaluation", study, repeat))
            for name, predict in predictors.items():
                errors[name] += _error(predict(values, mask), values, mask) / settings.evaluation_masks
        results += [
            {"split_role": role, "study": study, "predictor": name, "masked_mse": error, "samples": len(rows)}
            for name, error in errors.items()
        ]
    _log(results)
    return results


def _predictors(base, expression, training_rows, groups, settings, seed):
    """Name to function (z-scores, mask) -> reconstruction; `pca_tuned` only if there are validation studies."""
    training = _standardised(base, expression, training_rows)
    predictors = {
        "model": lambda values, mask: reconstruct(base, values, mask),
        "gene_mean": lambda values, mask: np.zeros(values.shape),
        "pca": fit_probabilistic_pca(training, settings.width).impute,
    }
    validation_rows = [rows for (role, _), rows in groups.items() if role == "validation"]
    if validation_rows:
        values = _standardised(base, expression, np.concatenate(validation_rows))
        mask = _mask(values.shape, settings, derive(seed, "components"))
        predictors["pca_tuned"] = tune_probabilistic_pca(training, values, mask, settings.width).impute
    return predictors


def tune_probabilistic_pca(training, values, mask, width):
    """PCA fitted on `training` whose number of components predicts the masked entries of `values` best.

    Parameters
    ----------
    training, values : numpy.ndarray, (samples, genes)
        z-scores of training samples and of validation samples.
    mask : numpy.ndarray of bool
        Of the shape of `values`.
    width : int
        Width of the model; candidates are an eighth, a quarter, half of it, itself and twice it.

    Returns
    -------
    scarceseq.pretrain.imputation.ProbabilisticPCA
    """
    candidates = sorted({max(round(width * factor), 1) for factor in (0.125, 0.25, 0.5, 1, 2)})
    fits = [fit_probabilistic_pca(training, components) for components in candidates]
    errors = [_error(fit.impute(values, mask), values, mask) for fit in fits]
    best = int(np.argmin(errors))
    logger.info("components chosen for PCA on the validation studies: %d", candidates[best])
    return fits[best]


@torch.no_grad()
def reconstruct(base, values, mask):
    """The network's reconstruction, (samples, genes), of z-scores whose masked entries it does not see."""
    device = base.mean.device
    network = base.network.eval()
    return network(torch.as_tensor(values, device=device), torch.as_tensor(mask, device=device)).cpu().numpy()


def _standardised(base, expression, rows):
    return base.standardise(expression[rows]).cpu().numpy()


def _mask(shape, settings, seed):
    return draw_mask(*shape, settings.evaluation_mask_share, seed).numpy()


def _error(prediction, values, mask):
    return float(np.mean(np.square((prediction - values)[mask], dtype=np.float64)))


def _log(results):
    for role in dict.fromkeys(row["split_role"] for row in results):
        errors = {}
        for row in results:
            if row["split_role"] == role:
                errors.setdefault(row["predictor"], []).append(row["masked_mse"])
        text = ", ".join(f"{name} {np.mean(values):.4f}" for name, values in errors.items())
        logger.info("masked squared error, mean over %s studies: %s", role, text)

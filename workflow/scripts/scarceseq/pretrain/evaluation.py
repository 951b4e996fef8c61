"""How well masked genes of held-out studies are predicted: the model, the gene's mean, PCA of equal width."""

import logging

import numpy as np
import torch

from scarceseq.pretrain.imputation import fit_probabilistic_pca
from scarceseq.pretrain.masking import draw_mask, hide
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
        ``split_role``, ``study``, ``predictor``, ``masked_mse``, ``samples``.
    """
    if not groups:
        return []
    rival = fit_probabilistic_pca(_standardised(base, expression, training_rows).cpu().numpy(), settings.width)
    predictors = {
        "model": lambda values, mask: reconstruct(base, values, mask),
        "gene_mean": lambda values, mask: np.zeros(values.shape),
        "pca": lambda values, mask: rival.impute(values, mask),
    }
    results = []
    for (role, study), rows in groups.items():
        values = _standardised(base, expression, rows).cpu().numpy()
        errors = dict.fromkeys(predictors, 0.0)
        for repeat in range(settings.evaluation_masks):
            generator = torch.Generator().manual_seed(derive(seed, "evaluation", study, repeat))
            mask = draw_mask(*values.shape, settings.evaluation_mask_share, generator).numpy()
            for name, predict in predictors.items():
                difference = (predict(values, mask) - values)[mask]
                errors[name] += float(np.mean(np.square(difference, dtype=np.float64))) / settings.evaluation_masks
        results += [
            {"split_role": role, "study": study, "predictor": name, "masked_mse": error, "samples": len(rows)}
            for name, error in errors.items()
        ]
    _log(results)
    return results


@torch.no_grad()
def reconstruct(base, values, mask):
    """The network's reconstruction, (samples, genes), of z-scores whose masked entries it does not see."""
    device = base.mean.device
    seen = hide(torch.as_tensor(values, device=device), torch.as_tensor(mask, device=device))
    return base.network.eval()(seen).cpu().numpy()


def _standardised(base, expression, rows):
    return base.standardise(expression[rows])


def _log(results):
    for role in dict.fromkeys(row["split_role"] for row in results):
        means = {
            name: np.mean([r["masked_mse"] for r in results if r["split_role"] == role and r["predictor"] == name])
            for name in ("model", "gene_mean", "pca")
        }
        text = ", ".join(f"{name} {error:.4f}" for name, error in means.items())
        logger.info("masked squared error, mean over %s studies: %s", role, text)

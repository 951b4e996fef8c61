"""Predict what sets a sample apart from the others of its study: masked genes of its difference to the study's mean.

What studies differ in, such as protocol and tissue, is in the mean and need not be learned. Without masks, the squared
error of the differences between all pairs of a study's samples is the same loss, up to a factor and the square of the
head's mean over the study.
"""

from typing import Any

import numpy as np
import torch
from torch import nn

from scarceseq.corpus.transform import NOT_MEASURED
from scarceseq.pretrain.model import Base
from scarceseq.pretrain.objectives.masked_expression import masked_mean
from scarceseq.pretrain.samples import LabelledMatrix
from scarceseq.pretrain.task import View

READS = "embedding"
BLOCK_SAMPLES = 1024


class StudyDifferences(nn.Module):
    """Squared error of a linear head's differences at masked genes; 0 for a sample of a study that is not trained on.

    `means`, (studies, genes), are the mean z-scores of each study; `targets`, int64, (samples of the corpus,), the row
    of `means` of each sample's study, -1 if it is not trained on.
    """

    means: torch.Tensor
    targets: torch.Tensor

    def __init__(self, width: int, means: torch.Tensor, targets: torch.Tensor) -> None:
        super().__init__()
        self.head = nn.Linear(width, means.shape[1])
        self.register_buffer("means", means, persistent=False)
        self.register_buffer("targets", targets, persistent=False)

    def forward(self, view: View) -> torch.Tensor:
        """Loss of each sample, (samples,)."""
        study = self.targets[view.rows]
        difference = view.expression - self.means[study.clamp(min=0)].to(view.expression.dtype)
        error = self.head(view.embedding).to(difference.dtype) - difference
        return masked_mean(error.square(), view.mask) * (study >= 0)

    def scores(self, view: View) -> list[tuple[str, str, float]]:
        """Nothing: what the embedding is worth is measured by the comparison of embeddings and by few-shot tasks."""
        return []


def study_means(base: Base, expression: np.ndarray, rows: np.ndarray, study: np.ndarray) -> torch.Tensor:
    """Mean z-score of each study's samples, (studies, genes), read in blocks; 0 where a study has not measured a gene.

    `expression`, (samples, genes), is log2(TPM + 1), memory-mapped; `study` counts the study of each of `rows`,
    ascending.
    """
    shape = (int(study.max()) + 1, expression.shape[1])
    total, count = torch.zeros(shape), torch.zeros(shape)
    for start in range(0, len(rows), BLOCK_SAMPLES):
        block = slice(start, start + BLOCK_SAMPLES)
        values, of_study = expression[rows[block]], torch.from_numpy(study[block])
        total.index_add_(0, of_study, base.standardise(values).float().cpu())
        count.index_add_(0, of_study, torch.from_numpy((values != NOT_MEASURED).astype(np.float32)))
    return total / count.clamp(min=1)


def build(base: Base, matrix: LabelledMatrix, rows: np.ndarray, options: dict[str, Any]) -> StudyDifferences:
    """A linear head on the embedding, and the means of the studies of `rows` over these samples."""
    _, study = np.unique(matrix.studies[rows], return_inverse=True)
    targets = np.full(len(matrix.studies), -1)
    targets[rows] = study
    means = study_means(base, matrix.expression, rows, study)
    return StudyDifferences(base.network.width, means, torch.from_numpy(targets))

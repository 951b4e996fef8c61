"""Likelihood of the read counts of masked genes, given the sample's depth: negative binomial or Poisson.

The scale is that of reads (fragments for paired ends), got back from the training matrix as
TPM x length x rate_sum / read length and rounded. The matrix is in half precision, so they are off by at most one read
or 0.7 %, whichever is more, and by some 2 % where training computes in bfloat16: below any dispersion between
replicates. Samples of another organism than the genes', with other gene lengths, count as of unknown depth.
"""

import math
from typing import Any

import numpy as np
import torch
from torch import nn

from scarceseq.errors import InputError
from scarceseq.pretrain.model import Base
from scarceseq.pretrain.objectives.masked_expression import masked_mean
from scarceseq.pretrain.samples import LabelledMatrix
from scarceseq.pretrain.task import View

READS = "reconstruction"

# How sharply a reconstructed log2(TPM + 1) bends towards 0 from below, per log2 unit: at 0 it stands for 0.1 TPM.
SHARPNESS = 5.0
# The gene-mean rival is fitted on so many random training samples, with the best of these dispersions.
BASELINE_SAMPLES = 500
DISPERSIONS = np.logspace(-3, 2, 26)
INITIAL_DISPERSION = 0.1


class ReadCounts(nn.Module):
    """Negative log-likelihood, in nats per masked gene, of a sample's reads; 0 for a sample of unknown depth.

    The reconstruction says how many TPM are expected; each gene has a dispersion of its own, which is learned, or is 0
    if `poisson`. `mean`, `scale` and `lengths` are (genes,); `depth`, (samples of the corpus,), is in reads per TPM and
    base, NaN where not known; `baseline` has the mean TPM of each gene among the samples that are trained on, and its
    dispersion.
    """

    mean: torch.Tensor
    scale: torch.Tensor
    lengths: torch.Tensor
    depth: torch.Tensor
    mean_tpm: torch.Tensor
    dispersion: torch.Tensor | None

    def __init__(
        self,
        mean: torch.Tensor,
        scale: torch.Tensor,
        lengths: torch.Tensor,
        depth: torch.Tensor,
        poisson: bool,
        baseline: tuple[torch.Tensor, torch.Tensor | None],
    ) -> None:
        super().__init__()
        tensors = {"mean": mean, "scale": scale, "lengths": lengths, "depth": depth}
        for name, tensor in (tensors | dict(zip(("mean_tpm", "dispersion"), baseline, strict=True))).items():
            self.register_buffer(name, tensor, persistent=False)
        start = torch.full_like(mean, math.log(INITIAL_DISPERSION))
        self.log_dispersion = None if poisson else nn.Parameter(start)

    def forward(self, view: View) -> torch.Tensor:
        """Loss of each sample, (samples,), float64."""
        return masked_mean(-self._likelihood(view, *self._predicted(view)), view.mask)

    def scores(self, view: View) -> list[tuple[str, str, float]]:
        """Mean log-likelihood of a masked gene, of the model and of each gene's mean TPM; samples of known depth."""
        deep = self.depth[view.rows].isfinite()
        if not deep.any():
            return []
        rivals = {"model": self._predicted(view), "gene_mean": (self.mean_tpm, self.dispersion)}
        return [
            ("read_log_likelihood", name, masked_mean(self._likelihood(view, *rival), view.mask)[deep].mean().item())
            for name, rival in rivals.items()
        ]

    def _predicted(self, view: View) -> tuple[torch.Tensor, torch.Tensor | None]:
        """TPM, (samples, genes), and dispersion, (genes,) or None for Poisson; float64."""
        dispersion = None if self.log_dispersion is None else self.log_dispersion.double().exp()
        return expected_tpm(view.reconstruction.double() * self.scale + self.mean), dispersion

    def _likelihood(self, view: View, tpm: torch.Tensor, dispersion: torch.Tensor | None) -> torch.Tensor:
        """(samples, genes); 0 for samples whose depth is not known."""
        depth = self.depth[view.rows].unsqueeze(1)
        per_tpm = self.lengths * torch.where(depth.isfinite(), depth, 1.0)
        measured = torch.exp2(view.expression.double() * self.scale + self.mean) - 1
        reads = (measured.clamp_min(0) * per_tpm).round()
        return torch.where(depth.isfinite(), log_likelihood(reads, tpm * per_tpm, dispersion), 0.0)


def expected_tpm(log_expression: torch.Tensor) -> torch.Tensor:
    """TPM that a reconstructed log2(TPM + 1) stands for; positive also where it is below 0."""
    return torch.exp2(nn.functional.softplus(log_expression, beta=SHARPNESS)) - 1


def log_likelihood(reads: torch.Tensor, expected: torch.Tensor, dispersion: torch.Tensor | None) -> torch.Tensor:
    """Log-probability of reads: variance is expected + dispersion x expected^2; Poisson if the dispersion is None.

    `reads` and `expected`, (samples, genes), are float64: in half or single precision the log-gamma terms of large
    counts would swallow the rest. `dispersion` is (genes,).
    """
    if dispersion is None:
        return torch.xlogy(reads, expected) - expected - torch.lgamma(reads + 1)
    size = 1 / dispersion
    return (
        torch.lgamma(reads + size)
        - torch.lgamma(size)
        - torch.lgamma(reads + 1)
        - size * torch.log1p(dispersion * expected)
        + torch.xlogy(reads, dispersion * expected / (1 + dispersion * expected))
    )


def fit_baseline(tpm: torch.Tensor, per_tpm: torch.Tensor, poisson: bool) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Mean TPM of each gene and the best of `DISPERSIONS` for it (None for Poisson).

    `tpm` and the expected reads per TPM are (samples, genes).
    """
    mean = tpm.mean(dim=0).clamp_min(1e-3)
    if poisson:
        return mean, None
    reads = (tpm * per_tpm).round()
    likelihoods = [log_likelihood(reads, mean * per_tpm, torch.full_like(mean, d)).sum(dim=0) for d in DISPERSIONS]
    return mean, torch.from_numpy(DISPERSIONS)[torch.stack(likelihoods).argmax(dim=0)]


def build(base: Base, matrix: LabelledMatrix, rows: np.ndarray, options: dict[str, Any]) -> ReadCounts:
    """Reads ``distribution``; the rival is fitted on `rows`."""
    mean, scale = (tensor.double().cpu() for tensor in (base.mean, base.scale))
    reads_per_rate: Any = matrix.reads_per_rate
    lengths, depth = (torch.from_numpy(values) for values in (matrix.gene_lengths, reads_per_rate))
    poisson = options["distribution"] == "poisson"
    of_known_depth = rows[np.isfinite(reads_per_rate[rows])]
    if len(of_known_depth) == 0:
        raise InputError("pretrain objective read_counts: no sample has a known read length; take the objective out")
    chosen = np.sort(of_known_depth[torch.randperm(len(of_known_depth))[:BASELINE_SAMPLES].numpy()])
    tpm = torch.exp2(torch.from_numpy(np.asarray(matrix.expression[chosen], dtype=np.float64)).clamp_min(0)) - 1
    baseline = fit_baseline(tpm, lengths * depth[chosen].unsqueeze(1), poisson)
    return ReadCounts(mean, scale, lengths, depth, poisson, baseline)

"""Each objective against a value computed another way, and what all of them have in common."""

import numpy as np
import pytest
import torch
from scarceseq.pretrain.masking import draw_mask
from scarceseq.pretrain.objectives import masked_expression
from scarceseq.pretrain.task import View


def view(expression, mask, reconstruction):
    """What the reconstruction of a batch looks like to an objective."""
    samples = len(expression)
    return View(torch.arange(samples), expression, mask, torch.zeros(samples, 2), reconstruction)


def test_gradient_flows_through_masked_genes_alone():
    generator = torch.Generator().manual_seed(1)
    expression = torch.randn(6, 12, generator=generator)
    mask = draw_mask(6, 12, 0.4, 1)
    prediction = torch.randn(6, 12, generator=generator, requires_grad=True)
    losses = masked_expression.MaskedExpression()(view(expression, mask, prediction))
    losses.mean().backward()
    assert torch.equal(prediction.grad != 0, mask)
    by_hand = [
        np.mean([(prediction[i, j] - expression[i, j]).item() ** 2 for j in mask[i].nonzero().flatten().tolist()])
        for i in range(6)
    ]
    assert losses.tolist() == pytest.approx(by_hand, rel=1e-6)

"""The loss of GEARS: fourth power of the error, and agreement of the direction of change."""

import torch


def autofocus(
    delta: torch.Tensor,
    difference: torch.Tensor,
    second: torch.Tensor | float = 0.0,
    third: torch.Tensor | float = 0.0,
    fourth: torch.Tensor | float = 0.0,
) -> torch.Tensor:
    """Mean fourth power of delta - D for a random D: the autofocus loss with gamma = 2, for one prediction and gene.

    A cell that is paired with one control cell has D = expression - control. Against many control cells, or for many
    cells, D has a distribution, and its mean and central moments suffice: with u = delta - mean,
    E (delta - D)^4 = u^4 + 6 u^2 m2 - 4 u m3 + m4.

    Delta is the predicted difference to control, `difference` the mean of D, the others its central moments.
    """
    error = delta - difference
    squared = error * error
    return squared * (squared + 6 * second) - 4 * error * third + fourth


def wrong_direction(
    delta: torch.Tensor, control: torch.Tensor, expression: torch.Tensor, mean_control: torch.Tensor
) -> torch.Tensor:
    """Squared difference of the signs of the measured and the predicted change from the mean control cell.

    It is constant almost everywhere: its value counts, its gradient is 0.
    """
    with torch.no_grad():
        measured = torch.sign(expression - mean_control)
        return (measured - torch.sign(control + delta - mean_control)).square()


def cell_weights(condition: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
    """Weight of each cell and gene of a batch, so that perturbations count alike, and so do their cells and genes.

    Shape (members, cells, genes); the sum is 1 for each member.

    Parameters
    ----------
    condition : torch.Tensor of int, shape (members, cells)
    kept : torch.Tensor, shape (conditions, genes)
        1 / (genes that count) for those genes, else 0. For a perturbation the genes count that its cells express at
        all, for control all.
    """
    same = condition[:, :, None] == condition[:, None]
    cells = same.sum(dim=2)
    distinct = (1.0 / cells.double()).sum(dim=1, keepdim=True)
    return kept[condition] / (cells * distinct)[..., None].to(kept.dtype)

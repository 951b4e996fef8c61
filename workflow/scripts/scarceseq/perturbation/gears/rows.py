"""Which perturbations a batch holds: equal rows are computed once."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Rows:
    """Distinct rows of one batch for each member of an ensemble.

    Attributes
    ----------
    condition : torch.Tensor of int, shape (members, rows)
        Position in the table of conditions.
    share : torch.Tensor, shape (members, rows)
        What part of the batch each row stands for; 0 for rows that only fill up.
    count : torch.Tensor, shape (members,)
        Cells of the batch.
    position : torch.Tensor of int, shape (members, cells)
        Row of each cell.
    first_alone : bool
        Whether row 0 is the batch's first cell and the only one that receives co-expression information.
    """

    condition: torch.Tensor
    share: torch.Tensor
    count: torch.Tensor
    position: torch.Tensor
    first_alone: bool


def distinct_rows(condition: torch.Tensor, first_alone: bool) -> Rows:
    """Rows of batches of cells.

    Parameters
    ----------
    condition : torch.Tensor of int, shape (members, cells)
        Condition of each cell.
    first_alone : bool
        Keep the first cell as a row of its own, row 0.
    """
    members, cells = condition.shape
    found = []
    for member in condition:
        rest = member[1:] if first_alone else member
        distinct, position, size = torch.unique(rest, return_inverse=True, return_counts=True)
        if first_alone:
            distinct = torch.cat([member[:1], distinct])
            position = torch.cat([position.new_zeros(1), position + 1])
            size = torch.cat([size.new_ones(1), size])
        found.append((distinct, size, position))
    rows = max(len(distinct) for distinct, _, _ in found)
    padded = [torch.nn.functional.pad(torch.stack([d, s]), (0, rows - len(d))) for d, s, _ in found]
    table = torch.stack(padded)  # (members, 2, rows)
    count = torch.full((members,), cells, device=condition.device)
    share = table[:, 1].double() / cells
    return Rows(table[:, 0], share, count, torch.stack([position for *_, position in found]), first_alone)


def weighted_rows(condition: torch.Tensor, share: torch.Tensor) -> Rows:
    """Rows that are given, each once, with their shares of the batch.

    Parameters
    ----------
    condition : torch.Tensor of int, shape (members, rows)
    share : torch.Tensor, shape (members, rows)
    """
    members, rows = condition.shape
    position = torch.arange(rows, device=condition.device).expand(members, rows)
    count = torch.full((members,), rows, device=condition.device)
    return Rows(condition, share, count, position, first_alone=False)

"""Which perturbations a batch holds: equal rows are computed once."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Rows:
    """Distinct rows of one batch for each member of an ensemble."""

    condition: torch.Tensor  # (members, rows), position in the table of conditions
    share: torch.Tensor  # (members, rows), of the batch that a row stands for; 0 for rows that only fill up
    count: torch.Tensor  # (members,), cells of the batch
    position: torch.Tensor  # (members, cells), row of each cell
    first_alone: bool  # row 0 is the first cell, which alone receives co-expression information


def distinct_rows(condition: torch.Tensor, first_alone: bool) -> Rows:
    """Rows of batches of cells from the condition of each, (members, cells); row 0 may be the first cell alone."""
    members, cells = condition.shape
    distinct_of = []
    for member in condition:
        rest = member[1:] if first_alone else member
        distinct, position, size = torch.unique(rest, return_inverse=True, return_counts=True)
        if first_alone:
            distinct = torch.cat([member[:1], distinct])
            position = torch.cat([position.new_zeros(1), position + 1])
            size = torch.cat([size.new_ones(1), size])
        distinct_of.append((distinct, size, position))
    rows = max(len(distinct) for distinct, _, _ in distinct_of)
    padded = [torch.nn.functional.pad(torch.stack([d, s]), (0, rows - len(d))) for d, s, _ in distinct_of]
    table = torch.stack(padded)  # (members, 2, rows)
    count = torch.full((members,), cells, device=condition.device)
    share = table[:, 1].double() / cells
    return Rows(table[:, 0], share, count, torch.stack([position for *_, position in distinct_of]), first_alone)


def weighted_rows(condition: torch.Tensor, share: torch.Tensor) -> Rows:
    """Rows that are given, each once, with their shares of the batch; both (members, rows)."""
    members, rows = condition.shape
    position = torch.arange(rows, device=condition.device).expand(members, rows)
    count = torch.full((members,), rows, device=condition.device)
    return Rows(condition, share, count, position, first_alone=False)

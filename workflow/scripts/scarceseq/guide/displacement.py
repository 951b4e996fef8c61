"""Sums over scouts of how far each weight moved: memory does not grow with the number of scouts."""

from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch

from scarceseq.files import atomic
from scarceseq.seals import checked

try:  # faster where it is there, not needed
    from scarceseq.guide import compiled
except ImportError:
    compiled = None  # type: ignore[assignment]

# Entries that torch adds up at once: few enough for the processor's cache, many enough for a call.
CHUNK = 2**18


class Displacement:
    """Running sums over scouts, in float64, by parameter name of the encoder.

    ``moved`` are those of the displacements, squared or absolute as `kind` says, ``fisher`` those of the squared
    gradients at the start.
    """

    def __init__(self, encoder: Mapping[str, torch.Tensor], kind: str) -> None:
        self.kind = kind
        self.moved = {name: torch.zeros_like(w, dtype=torch.float64) for name, w in encoder.items()}
        self.fisher = {name: torch.zeros_like(w, dtype=torch.float64) for name, w in encoder.items()}

    @torch.no_grad()
    def add(
        self, start: dict[str, torch.Tensor] | None, final: dict[str, torch.Tensor], gradient: dict[str, torch.Tensor]
    ) -> None:
        """Add one scout: its weights before and after, and its first gradient, by name.

        Weights that the encoder does not have (a head) are added to sums of their own. Without a `start`, `final` is
        how far the weights have moved.
        """
        for name, values in final.items():
            if name not in self.moved:
                self.moved[name] = torch.zeros_like(values, dtype=torch.float64)
                self.fisher[name] = torch.zeros_like(values, dtype=torch.float64)
            _add_up(self.moved[name], values, start[name] if start else None, self.kind)
            _add_up(self.fisher[name], gradient[name], None, "squared")

    def save(self, path: str | Path) -> None:
        """Write the sums as ``moved.<parameter>`` and ``fisher.<parameter>``."""
        tensors = {f"moved.{name}": tensor for name, tensor in self.moved.items()}
        tensors |= {f"fisher.{name}": tensor for name, tensor in self.fisher.items()}
        with atomic(path, sealed=True) as temporary:
            safetensors.torch.save_file({n: t.cpu().contiguous() for n, t in tensors.items()}, temporary)


def _add_up(total: torch.Tensor, values: torch.Tensor, start: torch.Tensor | None, kind: str) -> None:
    """Add the squares, or absolute values, of `values` (minus `start`), on a CPU a cache's worth at a time."""
    total, values = total.view(-1), values.detach().reshape(-1)
    start = None if start is None else start.detach().reshape(-1)
    on_cpu = total.device.type == "cpu"
    if compiled and on_cpu and start is not None:
        compiled.add_moved(total.numpy(), values.numpy(), start.numpy(), kind == "squared")
        return
    if compiled and on_cpu and kind == "squared":
        compiled.add_squares(total.numpy(), values.numpy())
        return
    size = CHUNK if on_cpu else max(len(total), 1)
    buffer = torch.empty(min(size, len(total)), dtype=torch.float64, device=total.device)
    for first in range(0, len(total), size):
        chunk = slice(first, first + size)
        difference = buffer[: len(total[chunk])].copy_(values[chunk])
        if start is not None:
            difference.sub_(start[chunk])
        if kind == "squared":
            total[chunk].addcmul_(difference, difference)
        else:
            total[chunk].add_(difference.abs_())


def mean_over_scouts(paths: list[str], scouts: int, group: str) -> dict[str, torch.Tensor]:
    """Mean over scouts of a group of sums (`moved` or `fisher`), float64 by parameter name, over block files.

    `paths` were written by `Displacement.save`; `scouts`, above 0, counts those in all files together. A head's tensors
    are averaged over its classes too, which leaves one class: what they say then holds for a head of any number of
    classes.
    """
    total = {}
    for path in paths:
        with safetensors.safe_open(checked(path), "pt") as tensors:
            for name in tensors.keys():  # noqa: SIM118
                kind, parameter = name.split(".", 1)
                if kind == group:
                    total[parameter] = total.get(parameter, 0) + tensors.get_tensor(name)
    means = {name: tensor / scouts for name, tensor in total.items()}
    return {n: mean.mean(dim=0, keepdim=True) if n.startswith("head.") else mean for n, mean in means.items()}

"""The processes that train one model together, as torchrun starts them; by default there is one."""

import contextlib
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
import torch.distributed
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from scarceseq.errors import InputError


@dataclass(frozen=True)
class Group:
    """This process among all: the process `rank` of `size`."""

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that writes."""
        return self.rank == 0

    def wrap(self, task: nn.Module) -> nn.Module:
        """The task such that its gradients are those of the mean of all processes' losses."""
        if self.size == 1:
            return task
        return DistributedDataParallel(task, broadcast_buffers=False, gradient_as_bucket_view=True)

    def exchange(self, model: nn.Module, last: bool) -> AbstractContextManager:
        """Context of a backward pass: gradients are exchanged in the `last` of a step only."""
        return contextlib.nullcontext() if last or self.size == 1 else model.no_sync()

    def mean(self, values: torch.Tensor) -> torch.Tensor:
        """Mean over the processes of a tensor, elementwise."""
        if self.size > 1:
            torch.distributed.all_reduce(values)
            values = values / self.size
        return values


ALONE = Group()


@contextlib.contextmanager
def join_group(device: torch.device) -> Iterator[tuple[Group, torch.device]]:
    """Join the processes that torchrun started, if it started this one; gives (group, this process's device).

    `device` says which kind: each process of a machine takes another device of it.
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        yield ALONE, device
        return
    local = int(os.environ["LOCAL_RANK"])
    if device.type == "cuda":
        if local >= torch.cuda.device_count():
            raise InputError(
                f"pretrain: {os.environ['LOCAL_WORLD_SIZE']} processes on a machine with {torch.cuda.device_count()} "
                "CUDA devices; lower the rule's resource `processes` in the profile"
            )
        device = torch.device("cuda", local)
        torch.cuda.set_device(device)
    torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Group(torch.distributed.get_rank(), torch.distributed.get_world_size()), device
    finally:
        torch.distributed.destroy_process_group()

"""Runs a script with every call of CUDA answered by the processor, and without packages that a bare GPU machine lacks.

`python cuda_stand_in.py SCRIPT [ARGUMENTS]`, or `-c PROGRAM`. Tensors that are asked for on a CUDA device are made on
the processor; what is asked of the card itself gets plausible answers.
"""

import functools
import runpy
import sys

ABSENT = "pandas sklearn snakemake scipy anndata scanpy pyarrow matplotlib yaml numba h5py pydantic psutil"
for name in ABSENT.split(" "):
    sys.modules[name] = None  # any import of it fails

import torch  # noqa: E402
from torch.overrides import TorchFunctionMode  # noqa: E402


def to_processor(value):
    """The processor instead of a CUDA device."""
    if isinstance(value, torch.device):
        return torch.device("cpu") if value.type == "cuda" else value
    return "cpu" if isinstance(value, str) and value.startswith("cuda") else value


class StandIn(TorchFunctionMode):
    """Moves what is meant for a card to the processor."""

    def __torch_function__(self, function, types, arguments=(), keywords=None):
        if function is torch.device:  # it may be named, and then asks for the way of a card
            return function(*arguments, **keywords or {})
        keywords = {key: to_processor(value) for key, value in (keywords or {}).items() if key != "pin_memory"}
        return function(*map(to_processor, arguments), **keywords)


class Event:
    """Stands in for `torch.cuda.Event`."""

    def record(self):
        """Nothing is queued."""

    def synchronize(self):
        """Nothing is waited for."""


def unpinned(make):
    """`make` without pinned memory, in whatever thread."""
    return lambda *arguments, **keywords: make(
        *arguments, **{key: value for key, value in keywords.items() if key != "pin_memory"}
    )


torch.cuda.is_available = lambda: True
torch.cuda.device_count = lambda: 1
torch.cuda.synchronize = lambda *_: None
torch.cuda.get_device_name = lambda *_: "stand-in"
torch.cuda.mem_get_info = lambda *_: (2**32, 2**33)
torch.cuda.max_memory_allocated = lambda *_: 0
torch.cuda.is_bf16_supported = lambda **_: True
torch.cuda.Event = Event
torch.empty = unpinned(torch.empty)
torch.random.fork_rng = functools.partial(torch.random.fork_rng, devices=[])

if __name__ == "__main__":
    sys.argv = sys.argv[1:]
    with StandIn():
        if sys.argv[0] == "-c":
            exec(sys.argv[1])
        else:
            sys.path.insert(0, str(sys.argv[0]).rpartition("/")[0])
            runpy.run_path(sys.argv[0], run_name="__main__")

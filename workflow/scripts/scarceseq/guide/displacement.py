"""Sums over scouts of how far each encoder weight moved: memory does not grow with the number of scouts."""

import safetensors.torch
import torch

from scarceseq.files import atomic


class Displacement:
    """Running sums, in float64, of squared and absolute displacement from a fixed reference.

    Parameters
    ----------
    reference : dict of str to torch.Tensor
        Weights that every scout started from; cloned.

    Attributes
    ----------
    squared, absolute : dict of str to torch.Tensor
        One sum per parameter, of the parameter's shape.
    """

    def __init__(self, reference):
        self.reference = {name: weight.detach().clone() for name, weight in reference.items()}
        self.squared = {n: torch.zeros_like(w, dtype=torch.float64) for n, w in self.reference.items()}
        self.absolute = {n: torch.zeros_like(w, dtype=torch.float64) for n, w in self.reference.items()}

    @torch.no_grad()
    def add(self, weights):
        """Add one scout's final weights, a dictionary with the reference's names."""
        for name, start in self.reference.items():
            moved = weights[name].detach().double() - start.double()
            self.squared[name] += moved.square()
            self.absolute[name] += moved.abs()

    def save(self, path):
        """Write the sums as ``squared.<parameter>`` and ``absolute.<parameter>``."""
        tensors = {f"squared.{name}": tensor for name, tensor in self.squared.items()}
        tensors |= {f"absolute.{name}": tensor for name, tensor in self.absolute.items()}
        with atomic(path) as temporary:
            safetensors.torch.save_file({n: t.cpu().contiguous() for n, t in tensors.items()}, temporary)


def encoder_weights(classifier):
    """Encoder parameters of a classifier, by name (``encoder.*``)."""
    return {name: weight for name, weight in classifier.named_parameters() if name.startswith("encoder.")}


def mean_displacement(paths, scouts, kind):
    """Mean over scouts of one kind of displacement, summed over block files.

    Parameters
    ----------
    paths : list of str
        Files that `Displacement.save` wrote.
    scouts : int
        Number of scouts in all files together; positive.
    kind : {'squared', 'absolute'}

    Returns
    -------
    dict of str to torch.Tensor
        Parameter name to float64 mean.
    """
    total = {}
    for path in paths:
        with safetensors.safe_open(path, "pt") as tensors:
            for name in tensors.keys():  # noqa: SIM118
                group, parameter = name.split(".", 1)
                if group == kind:
                    total[parameter] = total.get(parameter, 0) + tensors.get_tensor(name)
    return {name: tensor / scouts for name, tensor in total.items()}

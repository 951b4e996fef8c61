"""Tell labels of the samples, such as the tissue, from the embedding: one linear head per attribute."""

import logging
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from scarceseq.errors import InputError
from scarceseq.pretrain.model import Base
from scarceseq.pretrain.samples import LabelledMatrix
from scarceseq.pretrain.task import View

READS = "embedding"

logger = logging.getLogger(__name__)


class Labels(nn.Module):
    """Cross-entropy of each attribute's head, their mean; a sample without the label costs nothing.

    `classes` are those of each attribute; `targets`, int64, (attributes, samples of the corpus), the class of each
    sample, -1 without one; `majority` the most frequent class of each attribute among the samples that are trained on.
    """

    targets: torch.Tensor

    def __init__(self, width: int, classes: dict[str, list[str]], targets: torch.Tensor, majority: list[int]) -> None:
        super().__init__()
        self.classes, self.majority = classes, majority
        self.heads = nn.ModuleList(nn.Linear(width, len(names)) for names in classes.values())
        self.register_buffer("targets", targets, persistent=False)

    def forward(self, view: View) -> torch.Tensor:
        """Loss of each sample, (samples,)."""
        losses = [
            functional.cross_entropy(head(view.embedding), target[view.rows], ignore_index=-1, reduction="none")
            for head, target in zip(self.heads, self.targets, strict=True)
        ]
        return torch.stack(losses).mean(dim=0)

    def named_heads(self) -> dict[str, tuple[list[str], nn.Module]]:
        """Attribute to its classes and its head, as `scarceseq.pretrain.model.Base` keeps them."""
        return {key: (names, head) for (key, names), head in zip(self.classes.items(), self.heads, strict=True)}

    def scores(self, view: View) -> list[tuple[str, str, float]]:
        """Balanced accuracy, over a study's classes that the head knows, of the head and of the majority class."""
        results = []
        for key, head, target, majority in zip(self.classes, self.heads, self.targets, self.majority, strict=True):
            truth = target[view.rows]
            if (truth >= 0).any():
                predicted = {"model": head(view.embedding).argmax(dim=1), "majority": torch.full_like(truth, majority)}
                results += [
                    (f"balanced_accuracy_{key}", name, balanced_accuracy(truth, guess))
                    for name, guess in predicted.items()
                ]
        return results


def balanced_accuracy(truth: torch.Tensor, predicted: torch.Tensor) -> float:
    """Mean over the classes in `truth` of the share predicted right; -1 in `truth` is no class."""
    classes = truth[truth >= 0].unique()
    return torch.stack([(predicted[truth == c] == c).double().mean() for c in classes]).mean().item()


def build(base: Base, matrix: LabelledMatrix, rows: np.ndarray, options: dict[str, Any]) -> Labels:
    """Heads for the attributes ``keys``; classes have ``minimum_studies`` of the studies that are trained on.

    Raises InputError if an attribute has fewer than two such classes.
    """
    targets, classes, majority = [], {}, []
    for key in options["keys"]:
        names, target = known_classes(matrix, rows, key, options["minimum_studies"])
        if len(names) < 2:
            raise InputError(
                f"pretrain objective labels: attribute '{key}' has {len(names)} values that occur in at least "
                f"{options['minimum_studies']} of the studies that are trained on; 2 are needed: lower minimum_studies "
                "or take the key out"
            )
        trained = target[rows][target[rows] >= 0]
        logger.info("label %s: %d classes, %d of %d samples have one", key, len(names), len(trained), len(rows))
        classes[key] = names
        targets.append(target)
        majority.append(int(np.bincount(trained).argmax()))
    return Labels(base.network.width, classes, torch.from_numpy(np.stack(targets)), majority)


def known_classes(
    matrix: LabelledMatrix, rows: np.ndarray, key: str, minimum_studies: int
) -> tuple[list[str], np.ndarray]:
    """Values of an attribute in at least so many studies of `rows`, sorted, and every sample's class, -1 for none.

    Held-out samples have a class too, for `Labels.scores`; training never asks for them.
    """
    values = matrix.attributes[key]
    studies = {}
    for value, study in zip(values[rows], matrix.studies[rows], strict=True):
        if value:
            studies.setdefault(value, set()).add(study)
    names = sorted(value for value, of_value in studies.items() if len(of_value) >= minimum_studies)
    class_of = {name: index for index, name in enumerate(names)}
    return names, np.array([class_of.get(value, -1) for value in values], dtype=np.int64)

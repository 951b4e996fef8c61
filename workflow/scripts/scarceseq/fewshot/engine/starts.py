"""Initial weights of gradient-trained methods (torch only)."""

import copy
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import torch

from scarceseq import registry
from scarceseq.fewshot.engine.adapters import adapted
from scarceseq.fewshot.refusals import check_learned
from scarceseq.pretrain.classifier import Classifier, make_classifier

if TYPE_CHECKING:
    from torch import nn

    from scarceseq.pretrain.model import Base


def pretrained_start(base: "Base", classes: int, seed: int) -> Classifier:
    """Classifier on the base's own encoder, which fits do not change; only the head is drawn."""
    return Classifier(base.network.encoder, _head(base, classes, seed))


def with_encoder(base: "Base", weights: Any) -> "Base":
    """The base with other encoder weights, which must be those of this encoder by name (``encoder.*``) and shape."""
    check_learned(weights, {f"encoder.{name}": weight for name, weight in base.network.encoder.named_parameters()})
    network = copy.deepcopy(base.network)
    with torch.no_grad():
        for name, weight in network.encoder.named_parameters():
            weight.copy_(weights[f"encoder.{name}"])
    return replace(base, network=network)


def random_start(base: "Base", classes: int, seed: int) -> Classifier:
    """Classifier of the base's architecture with freshly drawn weights; the head is that of `pretrained_start`."""
    architecture = registry.load("pretrain.architectures", base.information["architecture"])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = architecture.build(base.mean, base.scale, base.information["settings"])
    return Classifier(network.encoder.to(base.mean.device, base.mean.dtype), _head(base, classes, seed))


def adapted_start(base: "Base", classes: int, seed: int, rank: int, scale: float) -> Classifier:
    """Pre-trained classifier with a low-rank pair of matrices beside each linear layer of the encoder."""
    encoder = adapted(base.network.encoder, rank, scale, seed)
    return Classifier(encoder, _head(base, classes, seed))


def _head(base: "Base", classes: int, seed: int) -> "nn.Module":
    """The head that `make_classifier` draws, without its copy of the encoder."""
    parameter = next(base.network.encoder.parameters())
    stub = torch.nn.LayerNorm(1, device=parameter.device, dtype=parameter.dtype)
    return make_classifier(SimpleNamespace(encoder=stub, width=base.network.width), classes, seed).head

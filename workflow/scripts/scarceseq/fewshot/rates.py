"""Parts of which gradient-trained methods are made: initial weights, update rates and pulls (torch only)."""

import torch

from scarceseq import registry
from scarceseq.pretrain.classifier import make_classifier


def pretrained_start(base, classes, seed):
    """Classifier on a copy of the base's encoder; only the head is drawn."""
    return make_classifier(base.network, classes, seed)


def random_start(base, classes, seed):
    """Classifier of the base's architecture with freshly drawn weights; the head is that of `pretrained_start`."""
    architecture = registry.load("pretrain.architectures", base.information["architecture"])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = architecture.build(base.mean, base.scale, base.information["settings"])
    return make_classifier(network.to(base.mean.device, base.mean.dtype), classes, seed)


def full_rate(encoder, guide, seed):
    """Every weight of the encoder moves as SGD says."""
    return dict.fromkeys(encoder, 1.0)


def no_rate(encoder, guide, seed):
    """The encoder stays as it is."""
    return dict.fromkeys(encoder, 0.0)


def guide_rate(encoder, guide, seed):
    """Each weight's update is multiplied by its guide value."""
    return {name: guide[name] for name in encoder}


def mean_rate(encoder, guide, seed):
    """One rate for the whole encoder: the mean of the guide over all its weights."""
    total = sum(guide[name].double().sum() for name in encoder)
    return dict.fromkeys(encoder, float(total / sum(guide[name].numel() for name in encoder)))


def tensor_mean_rate(encoder, guide, seed):
    """One rate for each tensor: the mean of its guide."""
    return {name: float(guide[name].double().mean()) for name in encoder}


def permuted_rate(encoder, guide, seed):
    """The guide's values in random order within each tensor."""
    generator = torch.Generator().manual_seed(seed)
    rates = {}
    for name in encoder:
        order = torch.randperm(guide[name].numel(), generator=generator).to(guide[name].device)
        rates[name] = guide[name].flatten()[order].view_as(guide[name])
    return rates


def no_pull(encoder):
    """No pull to the start."""
    return dict.fromkeys(encoder, 0.0)

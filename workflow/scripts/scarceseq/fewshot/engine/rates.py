"""Update rates and pulls of gradient-trained methods, by parameter name (torch only)."""

from typing import TYPE_CHECKING, Any

import torch

from scarceseq.fewshot.engine.fisher import source_fisher, support_fisher
from scarceseq.fewshot.engine.rate_inputs import layers

if TYPE_CHECKING:
    from scarceseq.fewshot.engine.rate_inputs import RateInputs


# Added to a guide before it divides: GTL-prior's strongest pull is 1 / this times that on a weight of guide 1.
GUIDE_FLOOR = 0.01


def full_rate(setting: "RateInputs") -> dict[str, Any]:
    """Every weight of the encoder moves as the optimiser says."""
    return dict.fromkeys(setting.encoder, 1.0)


def no_rate(setting: "RateInputs") -> dict[str, Any]:
    """The encoder stays as it is."""
    return dict.fromkeys(setting.encoder, 0.0)


def guide_rate(setting: "RateInputs") -> dict[str, Any]:
    """Each weight's update is multiplied by its guide value; the head's too, if the guide has one for it."""
    names = [*setting.encoder, "head.weight", "head.bias"]
    return {name: setting.guide[name] for name in names if name in setting.guide}


def inverse_guide_rate(setting: "RateInputs") -> dict[str, Any]:
    """One minus the guide: what the scouts moved most moves least."""
    return {name: (1 - values).clamp_min(0) for name, values in guide_rate(setting).items()}


def mean_rate(setting: "RateInputs") -> dict[str, Any]:
    """One rate for all weights: the mean of the guide."""
    guide = guide_rate(setting)
    total = sum(values.double().sum() for values in guide.values())
    return dict.fromkeys(guide, float(total / sum(values.numel() for values in guide.values())))


def tensor_mean_rate(setting: "RateInputs") -> dict[str, Any]:
    """One rate for each tensor: the mean of its guide."""
    return {name: float(values.double().mean()) for name, values in guide_rate(setting).items()}


def permuted_rate(setting: "RateInputs") -> dict[str, Any]:
    """The guide's values in random order within each tensor."""
    generator = torch.Generator().manual_seed(setting.seed)
    rates = {}
    for name, values in guide_rate(setting).items():
        order = torch.randperm(values.numel(), generator=generator).to(values.device)
        rates[name] = values.flatten()[order].view_as(values)
    return rates


def permuted_within_gene_rate(setting: "RateInputs") -> dict[str, Any]:
    """The guide's values in random order among the units of each gene; other tensors as in `permuted_rate`.

    Each gene keeps its distribution of rates, but the units into which it leads lose theirs.
    """
    generator = torch.Generator().manual_seed(setting.seed)
    rates = permuted_rate(setting)
    for name, values in guide_rate(setting).items():
        if _over_genes(values, setting):
            order = torch.rand(values.shape, generator=generator).argsort(dim=0).to(values.device)
            rates[name] = values.gather(0, order)
    return rates


def rank_one_rate(setting: "RateInputs") -> dict[str, Any]:
    """Matrices over the genes as product of the guide's means by unit and by gene, at most 1; others as the guide."""
    rates = guide_rate(setting)
    for name, values in rates.items():
        if _over_genes(values, setting):
            product = values.mean(dim=1, keepdim=True) * values.mean(dim=0, keepdim=True)
            rates[name] = (product / values.mean().clamp_min(torch.finfo(values.dtype).tiny)).clamp_max(1.0)
    return rates


def top_share_rate(setting: "RateInputs") -> dict[str, Any]:
    """Rate 1 for the most mobile weights of each tensor, 0 for the others; as many as the tensor's guide adds up to."""
    return {name: _largest(values, round(float(values.double().sum()))) for name, values in guide_rate(setting).items()}


def gene_variance_rate(setting: "RateInputs") -> dict[str, Any]:
    """No scouts: matrices over the genes get each gene's variance in the corpus, min-max scaled; all else 1."""
    variance = setting.base.scale.square()
    spread = variance.max() - variance.min()
    by_gene = (variance - variance.min()) / spread if spread > 0 else torch.ones_like(variance)
    return {
        name: by_gene.to(weight.dtype)[None, :] if _over_genes(weight, setting) else 1.0
        for name, weight in setting.encoder.items()
    }


def vector_rate(setting: "RateInputs") -> dict[str, Any]:
    """Biases and the weights of norms are trained, matrices are not (after Ben Zaken et al. 2022, BitFit)."""
    return {name: 1.0 if weight.ndim == 1 else 0.0 for name, weight in setting.encoder.items()}


def last_layers_rate(setting: "RateInputs", count: int) -> dict[str, Any]:
    """The last `count` layers of the encoder are trained; none of them is one that reads the genes."""
    inner = layers(setting.classifier, setting.genes)[1:]
    trained = {name for layer in inner[max(len(inner) - count, 0) :] for name in layer}
    return {name: 1.0 if name in trained else 0.0 for name in setting.encoder}


def decayed_rate(setting: "RateInputs", decay: float) -> dict[str, Any]:
    """`decay` to the power of the layer's distance to the head (Howard and Ruder 2018)."""
    by_layer = layers(setting.classifier, setting.genes)
    rates = {name: decay ** (len(by_layer) - place) for place, layer in enumerate(by_layer) for name in layer}
    return {name: rates[name] for name in setting.encoder}


def adapter_rate(setting: "RateInputs") -> dict[str, Any]:
    """Only the low-rank matrices beside the encoder's own are trained (see `scarceseq.fewshot.engine.adapters`)."""
    return {name: 1.0 if name.split(".")[-2] in ("down", "up") else 0.0 for name in setting.encoder}


def largest_fisher_rate(setting: "RateInputs", share: float, expected: bool) -> dict[str, Any]:
    """Rate 1 for this share of the encoder's weights, those of largest Fisher information on the support; else 0."""
    return _largest_of_all(support_fisher(setting, expected), share)


def equal_pull(setting: "RateInputs", strength: float = 0.0) -> dict[str, Any]:
    """The same pull to the start on every weight (Li et al. 2018, L2-SP); none by default."""
    return dict.fromkeys(setting.encoder, strength)


def fisher_pull(setting: "RateInputs", strength: float) -> dict[str, Any]:
    """Pull in proportion to the Fisher information of the pre-training task (Kirkpatrick et al. 2017, EWC)."""
    return _with_mean(source_fisher(setting), strength)


def inverse_guide_pull(setting: "RateInputs", strength: float) -> dict[str, Any]:
    """Pull in proportion to 1 / (guide + floor): the guide as variance of a Gaussian prior around the start."""
    return _with_mean({name: 1 / (setting.guide[name] + GUIDE_FLOOR) for name in setting.encoder}, strength)


def _over_genes(values: torch.Tensor, setting: "RateInputs") -> bool:
    return values.ndim == 2 and values.shape[1] == setting.genes


def _with_mean(values: dict[str, torch.Tensor], mean: float) -> dict[str, torch.Tensor]:
    """The same tensors times one factor, so that their mean over all weights is `mean`."""
    total = sum(float(v.double().sum()) for v in values.values()) / sum(v.numel() for v in values.values())
    return {name: v * (mean / total if total > 0 else 0.0) for name, v in values.items()}


def _largest(values: torch.Tensor, count: int) -> torch.Tensor:
    """1 for the `count` largest values of a tensor, the first of equals, and 0 for the others."""
    flat = values.flatten()
    if count <= 0:
        return torch.zeros_like(values)
    border = flat.kthvalue(len(flat) - count + 1).values
    chosen = flat > border
    chosen[(flat == border).nonzero().flatten()[: count - int(chosen.sum())]] = True
    return chosen.to(values.dtype).view_as(values)


def _largest_of_all(values: dict[str, torch.Tensor], share: float) -> dict[str, torch.Tensor]:
    """The same over all tensors together, for a share of their entries."""
    flat = torch.cat([v.flatten() for v in values.values()])
    chosen = _largest(flat, max(round(share * len(flat)), 1)).split([v.numel() for v in values.values()])
    return {name: flags.view_as(v) for (name, v), flags in zip(values.items(), chosen, strict=True)}

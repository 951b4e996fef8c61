"""The base model: network, gene list and normalisation, kept together in memory and on disk."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from torch import nn

from scarceseq import registry
from scarceseq.corpus.transform import NOT_MEASURED
from scarceseq.errors import InputError
from scarceseq.files import atomic, read_json, write_json
from scarceseq.seals import checked


@dataclass
class Base:
    """A pre-trained network with what is needed to use it."""

    network: Any  # of an entry of ``pretrain/architectures``
    gene_ids: list  # gene of each input column
    mean: torch.Tensor  # (genes,), with scale: of log2(TPM + 1) over the samples that the normalisation was fitted on
    scale: torch.Tensor
    # As written to ``model.json``: architecture, settings, provenance (commit, corpus, split, studies trained on), and
    # the ``vocabulary``: each gene's name, length in bases and mean TPM.
    information: dict = field(default_factory=dict)
    # Attribute of the samples that was learned to its classes and the linear map from the embedding to their logits.
    heads: dict = field(default_factory=dict)

    def standardise(self, log_expression: np.ndarray | torch.Tensor) -> torch.Tensor:
        """z-scores, float32, of log2(TPM + 1), (samples, genes), whose columns are `gene_ids`; 0 where not measured.

        Raises InputError if the number of columns is not the number of genes.
        """
        if isinstance(log_expression, np.ndarray):  # a read-only memory map is copied
            log_expression = np.require(log_expression, requirements="W")
        expression = torch.as_tensor(log_expression, device=self.mean.device).to(torch.float32)
        if expression.ndim != 2 or expression.shape[1] != len(self.gene_ids):
            raise InputError(
                f"expression of shape {tuple(expression.shape)}: the base model knows {len(self.gene_ids)} genes; "
                "give a samples x genes table with the genes of the model's gene list, in its order"
            )
        return ((expression - self.mean) / self.scale).masked_fill_(expression == NOT_MEASURED, 0.0)


def save_base(base: Base, model_path: str | Path, json_path: str | Path) -> None:
    """Write tensors (``network.*``, ``heads.*``, ``mean``, ``scale``) as safetensors and everything else as JSON."""
    tensors = {f"network.{name}": tensor for name, tensor in base.network.state_dict().items()}
    tensors |= {"mean": base.mean, "scale": base.scale}
    for key, (_, head) in base.heads.items():
        tensors |= {f"heads.{key}.{name}": tensor for name, tensor in head.state_dict().items()}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with atomic(model_path, sealed=True) as temporary:
        safetensors.torch.save_file(tensors, temporary)
    classes = {key: names for key, (names, _) in base.heads.items()}
    write_json(base.information | {"gene_ids": list(base.gene_ids), "classes": classes}, json_path)


def load_base(model_path: str | Path, json_path: str | Path, device: str | torch.device = "cpu") -> Base:
    """Read what `save_base` wrote; the network is in evaluation mode on `device`.

    Raises InputError if the tensors are not those of the architecture that the JSON file names.
    """
    information = read_json(json_path)
    try:
        tensors = safetensors.torch.load_file(checked(model_path), device=str(device))
    except safetensors.SafetensorError as error:
        raise InputError(f"{model_path}: not a readable safetensors file ({error}); run pre-training again") from error
    try:
        gene_ids, classes = information.pop("gene_ids"), information.pop("classes", {})
        architecture = registry.load("pretrain.architectures", information["architecture"])
        network = architecture.build(tensors["mean"], tensors["scale"], information["settings"]).to(device)
        weights = {name.removeprefix("network."): t for name, t in tensors.items() if name.startswith("network.")}
        network.load_state_dict(weights)
        heads = {key: (names, _head(tensors, key)) for key, names in classes.items()}
    except (RuntimeError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{model_path} does not fit {json_path}: {error!r}; run pre-training again") from error
    if tensors["mean"].shape != (len(gene_ids),) or tensors["scale"].shape != (len(gene_ids),):
        raise InputError(f"{model_path} does not fit {json_path}, which names {len(gene_ids)} genes")
    return Base(network.eval(), gene_ids, tensors["mean"], tensors["scale"], information, heads)


def _head(tensors: dict[str, torch.Tensor], key: str) -> nn.Linear:
    weight, bias = (tensors[f"heads.{key}.{name}"] for name in ("weight", "bias"))
    head = nn.utils.skip_init(nn.Linear, weight.shape[1], weight.shape[0], device=weight.device)
    head.load_state_dict({"weight": weight, "bias": bias})
    return head

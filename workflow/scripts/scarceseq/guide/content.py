"""What is inside a packed model: every tensor finite, of its type and shape, every list as long as it says."""

import json
import math
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import safetensors
import torch
from torch import nn

from scarceseq import registry
from scarceseq.errors import InputError

LARGEST_JSON_BYTES = 256 << 20
CARD_KEYS = {
    "name": str,
    "organism": str,
    "date": str,
    "architecture": str,
    "genes": int,
    "corpus_fingerprint": str,
    "training_studies": list,
    "scout_studies": list,
    "training_samples": int,
    "sketched_studies": list,
    "sketched_samples": int,
}
MODEL_KEYS = {
    "architecture": str,
    "settings": dict,
    "split": str,
    "gene_ids": list,
    "training_studies": list,
    "vocabulary": dict,
}
# Lists of `model.json`'s vocabulary, one entry for each gene: whether it is of numbers above zero, or not below.
VOCABULARY = {"gene_names": None, "bp_length": lambda value: value > 0, "mean_tpm": lambda value: value >= 0}

HEAD = ("head.weight", "head.bias")
Shape = tuple[int | None, ...]
Declared = tuple[torch.dtype, Shape]


def check_content(folder: Path, guides: list[str]) -> None:
    """Check the unpacked files of a model against each other, those of the named guides among them.

    Raises InputError naming the file and what is wrong in it.
    """
    folder = Path(folder)
    information = _read_object(folder / "model.json", MODEL_KEYS)
    genes = _check_information(folder / "model.json", information)
    card = _read_object(folder / "card.json", CARD_KEYS)
    _check_names(folder / "card.json", card, ("training_studies", "scout_studies", "sketched_studies"))
    for key, value in (("genes", genes), ("architecture", information["architecture"])):
        if card[key] != value:
            raise _wrong(folder / "card.json", f"'{key}' is {card[key]!r}, model.json says {value!r}")
    network = _blank_network(folder / "model.json", information, genes)
    tensors = _check_tensors(folder / "model.safetensors", _declared(network, information, genes))
    if not (tensors["scale"] > 0).all():
        raise _wrong(folder / "model.safetensors", "'scale' has a value that is not above zero")
    _check_components(folder / "components.safetensors", genes)
    _check_sketches(folder / "sketches.safetensors", genes, card)
    for guide in guides:
        _check_guide(folder / f"{guide}.safetensors", network)


def _wrong(path: Path, words: str) -> InputError:
    return InputError(f"{path}: {words}; this packed model is damaged or was made by hand: ask whoever packed it")


def _read_object(path: Path, keys: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON object with these keys of these types, all numbers finite."""
    if path.stat().st_size > LARGEST_JSON_BYTES:
        raise _wrong(path, f"over {LARGEST_JSON_BYTES} bytes")

    def refuse(text: str) -> None:
        raise ValueError(f"{text} is no finite number")

    try:
        content = json.loads(path.read_text(), parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise _wrong(path, f"cannot be read ({error})") from error
    if not isinstance(content, dict):
        raise _wrong(path, "is no object")
    for key, kind in keys.items():
        if not isinstance(content.get(key), kind) or isinstance(content.get(key), bool):
            raise _wrong(path, f"'{key}' is missing or of another type")
    return content


def _check_names(path: Path, content: dict[str, Any], keys: Iterable[str]) -> None:
    for key in keys:
        if not all(isinstance(name, str) and name for name in content[key]):
            raise _wrong(path, f"'{key}' is no list of names")


def _check_information(path: Path, information: dict[str, Any]) -> int:
    """Number of genes, once all lists of ``model.json`` have as many entries."""
    _check_names(path, information, ("gene_ids", "training_studies"))
    genes = len(information["gene_ids"])
    if not genes or len(set(information["gene_ids"])) != genes:
        raise _wrong(path, "'gene_ids' is empty or names a gene twice")
    for key, good in VOCABULARY.items():
        values = information["vocabulary"].get(key)
        if not isinstance(values, list) or len(values) != genes:
            raise _wrong(path, f"'vocabulary.{key}' is no list of {genes} entries, one for each gene")
        kind = str if good is None else (int, float)
        odd = next(
            (v for v in values if not isinstance(v, kind) or (good and not (math.isfinite(float(v)) and good(v)))), None
        )
        if odd is not None:
            raise _wrong(path, f"'vocabulary.{key}' holds {odd!r}")
    for name, classes in information.get("classes", {}).items():
        if not isinstance(classes, list) or not all(isinstance(value, str) for value in classes):
            raise _wrong(path, f"'classes.{name}' is no list of names")
    return genes


def _blank_network(path: Path, information: dict[str, Any], genes: int) -> nn.Module:
    """The architecture by its settings, with `encoder` and `width`; nothing of its size is made."""
    try:
        architecture = registry.load("pretrain.architectures", information["architecture"])
        with torch.device("meta"):
            blank = torch.zeros(genes)
            network = architecture.build(blank, torch.ones(genes), information["settings"])
            return network.to("meta")
    except InputError:
        raise
    except (RuntimeError, KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise _wrong(path, f"its settings give no network of '{information['architecture']}' ({error!r})") from error


def _declared(network: Any, information: dict[str, Any], genes: int) -> dict[str, Declared]:
    """Type and shape of every tensor of the model."""
    declared: dict[str, Declared] = {f"network.{name}": _of(tensor) for name, tensor in network.state_dict().items()}
    declared["mean"] = declared["scale"] = torch.float32, (genes,)
    for key, classes in information.get("classes", {}).items():
        declared[f"heads.{key}.weight"] = torch.float32, (len(classes), int(network.width))
        declared[f"heads.{key}.bias"] = torch.float32, (len(classes),)
    return declared


def _of(tensor: torch.Tensor) -> Declared:
    return tensor.dtype, tuple(tensor.shape)


def _check_tensors(
    path: Path, declared: Mapping[str, Declared], others_allowed: Collection[str] = ()
) -> dict[str, torch.Tensor]:
    """The tensors of a file, once they are those declared, and finite; a size of None is any."""
    try:
        with safetensors.safe_open(path, "pt") as handle:
            names = set(handle.keys())
            missing = sorted(declared.keys() - names)
            extra = sorted(names - declared.keys() - set(others_allowed))
            if missing or extra:
                what = f"lacks '{missing[0]}'" if missing else f"holds '{extra[0]}', which no such file has"
                raise _wrong(path, what)
            kinds = {name: declared.get(name, (torch.float32, None)) for name in sorted(names)}
            return {name: _check_tensor(path, name, handle.get_tensor(name), *kind) for name, kind in kinds.items()}
    except safetensors.SafetensorError as error:
        raise _wrong(path, f"not a readable safetensors file ({error})") from error


def _check_tensor(
    path: Path, name: str, tensor: torch.Tensor, kind: torch.dtype, shape: tuple[int | None, ...]
) -> torch.Tensor:
    if tensor.dtype != kind:
        raise _wrong(path, f"'{name}' is of type {tensor.dtype}, not {kind}")
    fits = shape is None or (
        len(shape) == tensor.ndim
        and all(size in (None, actual) for size, actual in zip(shape, tensor.shape, strict=True))
    )
    if not fits:
        raise _wrong(path, f"'{name}' has the shape {tuple(tensor.shape)}, not {shape}")
    if tensor.is_floating_point() and not torch.isfinite(tensor).all():
        raise _wrong(path, f"'{name}' holds a value that is no finite number")
    return tensor


def _check_components(path: Path, genes: int) -> None:
    declared = {"centre": (genes,), "axes": (None, genes), "variances": (None,)}
    tensors = _check_tensors(path, {name: (torch.float32, shape) for name, shape in declared.items()})
    if len(tensors["axes"]) != len(tensors["variances"]) or not len(tensors["axes"]):
        raise _wrong(path, f"{len(tensors['axes'])} axes, {len(tensors['variances'])} variances")
    if (tensors["variances"] < 0).any():
        raise _wrong(path, "'variances' holds a value below zero")


def _check_sketches(path: Path, genes: int, card: dict[str, Any]) -> None:
    kinds = {"genes": torch.int32, "log_tpm": torch.float16, "reads_per_tpm": torch.float32, "study": torch.int32}
    declared = {name: (kind, (None, None) if name == "log_tpm" else (None,)) for name, kind in kinds.items()}
    tensors = _check_tensors(path, declared)
    samples, chosen = tensors["log_tpm"].shape
    if card["sketched_samples"] != samples:
        raise _wrong(path, f"'log_tpm' holds {samples} samples, card.json says {card['sketched_samples']}")
    sizes = {"genes": chosen, "reads_per_tpm": samples, "study": samples}
    for name, size in sizes.items():
        if len(tensors[name]) != size:
            raise _wrong(path, f"'{name}' has {len(tensors[name])} entries, 'log_tpm' needs {size}")
    for name, stop in (("genes", genes), ("study", len(card["sketched_studies"]))):
        if len(tensors[name]) and not 0 <= int(tensors[name].min()) <= int(tensors[name].max()) < stop:
            raise _wrong(path, f"'{name}' holds a place that is none of {stop}")


def _check_guide(path: Path, network: nn.Module) -> None:
    """A factor for each weight of the encoder, and of a head of one class where scouts decide on it."""
    declared = {f"encoder.{name}": _of(weight) for name, weight in network.encoder.named_parameters()}
    tensors = _check_tensors(path, declared, HEAD)
    shapes = [tuple(tensors[name].shape) for name in HEAD if name in tensors]
    if shapes and shapes != [(1, network.width), (1,)]:
        raise _wrong(path, f"the head has the shapes {shapes}, not those of one class, {[(1, network.width), (1,)]}")

"""What a packed model may hold. Oracle: a good model, one thing of it changed at a time."""

import dataclasses

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from scarceseq import registry
from scarceseq.errors import InputError
from scarceseq.files import read_json, write_json
from scarceseq.guide.content import check_content
from scarceseq.guide.reference import reference_components
from scarceseq.pretrain.model import save_base
from scarceseq.pretrain.run import initial_base
from small_corpus import small_settings

CARD = {
    "name": "mlp.pairs",
    "organism": "mouse",
    "date": "2026-01-01",
    "corpus_fingerprint": "f",
    "training_studies": ["S1"],
    "scout_studies": [],
    "training_samples": 5,
    "sketched_studies": ["S1", "S2"],
    "sketched_samples": 9,
}


@pytest.fixture(params=registry.names("pretrain.architectures"))
def folder(request, matrix, tmp_path):
    """A good model's files, of each architecture."""
    settings = dataclasses.replace(small_settings(), architecture=request.param)
    base = initial_base(matrix, settings, 3, torch.device("cpu"))
    genes = len(base.gene_ids)
    vocabulary = {"gene_names": list(base.gene_ids), "bp_length": [1000.0] * genes, "mean_tpm": [0.0] * genes}
    base.information |= {"vocabulary": vocabulary, "training_studies": ["S1"], "split": "default"}
    base.heads = {"tissue": (["a", "b", "c"], torch.nn.Linear(base.network.width, 3))}
    save_base(base, tmp_path / "model.safetensors", tmp_path / "model.json")
    values = np.random.default_rng(1).normal(5, 1, (30, genes)).astype(np.float32)
    save_file(reference_components(base, values, np.arange(30), 3, 1), tmp_path / "components.safetensors")
    sketches = {"genes": torch.arange(6, dtype=torch.int32), "log_tpm": torch.rand(9, 6).half()}
    sketches |= {"reads_per_tpm": torch.rand(9), "study": torch.tensor([0, 1, 0] * 3, dtype=torch.int32)}
    save_file(sketches, tmp_path / "sketches.safetensors")
    guide = {f"encoder.{name}": torch.rand_like(w) for name, w in base.network.encoder.named_parameters()}
    head = {"head.weight": torch.rand(1, base.network.width), "head.bias": torch.rand(1)}
    save_file(guide, tmp_path / "plain.safetensors")
    save_file(guide | head, tmp_path / "headed.safetensors")
    write_json(CARD | {"genes": genes, "architecture": base.information["architecture"]}, tmp_path / "card.json")
    return tmp_path


GUIDES = ["plain", "headed"]


def test_a_good_model_passes(folder):
    assert check_content(folder, GUIDES) is None


def tensor_names(folder):
    return [(path.name, name) for path in sorted(folder.glob("*.safetensors")) for name in load_file(path)]


def refused(folder, file, name):
    with pytest.raises(InputError) as caught:
        check_content(folder, GUIDES)
    assert file in str(caught.value)
    assert name in str(caught.value)
    return str(caught.value)


def changed(folder, file, name, change):
    """Message of `check_content` with one tensor changed, or left out; the file is put back."""
    path = folder / file
    before, tensors = path.read_bytes(), load_file(path)
    new = change(tensors.pop(name).clone())
    save_file(tensors | ({} if new is None else {name: new}), path)
    message = refused(folder, file, name.rpartition(".")[0] or name)
    path.write_bytes(before)
    return message


def with_value(value):
    def change(tensor):
        tensor.view(-1)[tensor.numel() // 2] = value
        return tensor

    return change


CHANGES = {
    "NaN": with_value(float("nan")),
    "infinite": with_value(float("-inf")),
    "another type": lambda tensor: tensor.double(),
    "half": lambda tensor: tensor.half(),
    "another shape": lambda tensor: torch.cat([tensor, tensor]),
    "one dimension more": lambda tensor: tensor[None],
    "empty": lambda tensor: tensor[:0],
    "missing": lambda tensor: None,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_one_tensor_changed_anywhere_is_named_with_its_file(folder, change):
    names = tensor_names(folder)
    assert len(names) > 10
    for file, name in names:
        tensor = load_file(folder / file)[name]
        if not tensor.is_floating_point() and change in (CHANGES["NaN"], CHANGES["infinite"]):
            continue  # a whole number is always finite
        if tensor.dtype == torch.float16 and change is CHANGES["half"]:
            continue
        changed(folder, file, name, change)
    check_content(folder, GUIDES)


def test_a_tensor_too_many_is_named(folder):
    for file in ("model.safetensors", "components.safetensors", "plain.safetensors"):
        before = (folder / file).read_bytes()
        save_file(load_file(folder / file) | {"strange": torch.rand(2)}, folder / file)
        assert "strange" in refused(folder, file, "strange")
        (folder / file).write_bytes(before)


def test_a_scale_of_zero_and_a_variance_below_zero_are_named(folder):
    assert "scale" in changed(folder, "model.safetensors", "scale", with_value(0.0))
    assert "variances" in changed(folder, "components.safetensors", "variances", with_value(-1.0))


@pytest.mark.parametrize(
    ("file", "change", "words"),
    [
        ("model.json", lambda content: content["gene_ids"].pop(), "vocabulary.gene_names"),
        ("model.json", lambda content: content["gene_ids"].__setitem__(0, content["gene_ids"][1]), "gene_ids"),
        ("model.json", lambda content: content["gene_ids"].__setitem__(0, 5), "gene_ids"),
        ("model.json", lambda content: content["vocabulary"]["bp_length"].pop(), "vocabulary.bp_length"),
        ("model.json", lambda content: content["vocabulary"]["bp_length"].__setitem__(0, 0), "vocabulary.bp_length"),
        ("model.json", lambda content: content["vocabulary"]["mean_tpm"].__setitem__(0, "x"), "vocabulary.mean_tpm"),
        ("model.json", lambda content: content["vocabulary"].pop("gene_names"), "vocabulary.gene_names"),
        ("model.json", lambda content: content.pop("split"), "'split'"),
        ("model.json", lambda content: content.update(architecture="none_such"), "none_such"),
        ("model.json", lambda content: content["settings"].update(width=10**12), "model"),
        ("model.json", lambda content: content["settings"].update(width="x"), "settings give no network"),
        ("model.json", lambda content: content["classes"]["tissue"].append("d"), "heads.tissue"),
        ("card.json", lambda content: content.pop("scout_studies"), "'scout_studies'"),
        ("card.json", lambda content: content.update(genes=True), "'genes'"),
        ("card.json", lambda content: content.update(genes=3), "'genes' is 3"),
        ("card.json", lambda content: content.update(training_studies=[1]), "training_studies"),
    ],
)
def test_a_list_or_key_that_is_wrong_is_named(folder, file, change, words):
    content = read_json(folder / file)
    change(content)
    write_json(content, folder / file)
    with pytest.raises(InputError, match=words):
        check_content(folder, GUIDES)


@pytest.mark.parametrize("text", ["[]", "{", '{"name": NaN}', "[" * 100000, "\xff"])
def test_json_that_is_none_is_one_error(folder, text):
    for file in ("model.json", "card.json"):
        before = (folder / file).read_bytes()
        (folder / file).write_bytes(text.encode("latin-1"))
        assert "damaged or was made by hand" in refused(folder, file, file)
        (folder / file).write_bytes(before)

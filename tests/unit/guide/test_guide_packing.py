"""Models between laboratories: what is unpacked is what was packed, or it is refused."""

import random
import stat
import zipfile
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file
from scarceseq.errors import InputError
from scarceseq.files import read_json, sha256
from scarceseq.guide.card import make_card, own_organism
from scarceseq.guide.narrow import narrow, widen
from scarceseq.guide.packing import DAY_ONE, MANIFEST, pack, unpack
from scarceseq.guide.reference import reference_components, stand_in
from scarceseq.pretrain.embedding import embed
from scarceseq.pretrain.model import load_base, save_base
from sklearn.decomposition import PCA


@pytest.fixture
def members(base, tmp_path):
    """A base model and a guide as files, by their names in an archive."""
    found = {name: tmp_path / name for name in ("model.safetensors", "model.json", "per_tensor.safetensors")}
    save_base(base, found["model.safetensors"], found["model.json"])
    save_file({"encoder.linear.weight": torch.rand(4, 40)}, found["per_tensor.safetensors"])
    return found


@pytest.fixture
def packed(members, tmp_path):
    pack(members, tmp_path / "packed.zip")
    return tmp_path / "packed.zip"


def rewritten(packed, change):
    """The archive again, with members, {name: (content, information)}, changed."""
    with zipfile.ZipFile(packed) as archive:
        members = {item.filename: (archive.read(item), item) for item in archive.infolist()}
    members = change(members) or members
    with zipfile.ZipFile(packed, "w") as archive:
        for name, (content, item) in members.items():
            item.filename = name
            archive.writestr(item, content)
    return packed


def test_files_come_back_byte_by_byte(members, packed, tmp_path):
    unpack(packed, tmp_path / "there", members)
    assert sorted(path.name for path in (tmp_path / "there").glob("[!.]*")) == sorted(members)
    for name, path in members.items():
        assert (tmp_path / "there" / name).read_bytes() == path.read_bytes()


def test_the_same_files_give_the_same_bytes_whenever_they_are_packed(members, packed, tmp_path):
    for path in members.values():
        path.touch()
    pack(dict(reversed(members.items())), tmp_path / "again.zip")
    assert sha256(tmp_path / "again.zip") == sha256(packed)


def test_an_unpacked_model_embeds_as_the_original_does(base, members, packed, tmp_path):
    unpack(packed, tmp_path / "there", members)
    found = load_base(tmp_path / "there/model.safetensors", tmp_path / "there/model.json")
    counts = np.random.default_rng(2).poisson(50, size=(7, len(base.gene_ids)))
    expected, _ = embed(base, counts, base.gene_ids, 1.0)
    np.testing.assert_array_equal(embed(found, counts, base.gene_ids, 1.0)[0], expected)


@pytest.mark.parametrize("name", ["model.safetensors", "model.json", MANIFEST])
def test_a_changed_byte_is_refused(members, packed, tmp_path, name):
    def change(archive):
        content, item = archive[name]
        place = content.index(b"4") if name == MANIFEST else len(content) // 2
        content = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        return archive | {name: (content, item)}

    with pytest.raises(InputError, match=r"differs|bytes of the manifest|cannot be read"):
        unpack(rewritten(packed, change), tmp_path / "there", members)


def test_a_byte_changed_on_the_disk_is_refused(members, packed, tmp_path):
    content = bytearray(packed.read_bytes())
    place = content.index(members["per_tensor.safetensors"].read_bytes()) + 200
    content[place] ^= 1
    packed.write_bytes(content)
    with pytest.raises(InputError, match=r"not a whole packed model .*CRC"):
        unpack(packed, tmp_path / "there", members)
    assert not (tmp_path / "there" / "per_tensor.safetensors").exists()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_half_an_archive_is_refused(members, packed, tmp_path, share):
    packed.write_bytes(packed.read_bytes()[: int(share * packed.stat().st_size)])
    with pytest.raises(InputError, match="not a whole packed model"):
        unpack(packed, tmp_path / "there", members)


def test_a_damaged_archive_gives_the_files_or_one_kind_of_error(tmp_path):
    """Bytes changed, lost and doubled anywhere: whatever comes out is what went in."""
    files = {name: tmp_path / name for name in ("a.json", "b.safetensors", "c.tsv")}
    for place, path in enumerate(files.values()):
        path.write_bytes(bytes([65 + place]) * 400)
    pack(files, tmp_path / "whole.zip")
    whole, damaged, generator = (tmp_path / "whole.zip").read_bytes(), tmp_path / "damaged.zip", random.Random(1)
    outcomes = Counter()
    for number in range(300):
        content = bytearray(whole)
        for _ in range(generator.randint(1, 4)):
            place, other = generator.randrange(len(content)), generator.randrange(len(content))
            change = generator.choice(["other", "other", "lost", "doubled"])
            if change == "other":
                content[place] = generator.randrange(256)
            elif change == "lost":
                del content[place : place + 20]
            else:
                content[place:place] = content[other : other + 20]
        damaged.write_bytes(content)
        folder = tmp_path / str(number)
        folder.mkdir()
        try:
            unpack(damaged, folder, list(files))
        except InputError:
            outcomes["refused"] += 1
        else:
            outcomes["accepted"] += 1
            assert all((folder / name).read_bytes() == path.read_bytes() for name, path in files.items())
        assert {path.name for path in folder.glob("[!.]*")} <= set(files)
    assert outcomes["refused"] > 200
    assert outcomes["accepted"] > 0


def test_a_missing_file_is_named(members, packed, tmp_path):
    with pytest.raises(InputError, match=r"'model\.json' is missing from the archive"):
        unpack(rewritten(packed, lambda archive: archive.pop("model.json") and None), tmp_path / "there", members)


def test_a_file_that_was_never_packed_is_named(packed, tmp_path):
    with pytest.raises(InputError, match=r"holds no fisher\.safetensors"):
        unpack(packed, tmp_path / "there", ["fisher.safetensors"])


def test_a_file_beside_the_manifest_is_refused(members, packed, tmp_path):
    def change(archive):
        archive["more.json"] = (b"{}", zipfile.ZipInfo("more.json", DAY_ONE))

    with pytest.raises(InputError, match=r"'more\.json' is not in its manifest"):
        unpack(rewritten(packed, change), tmp_path / "there", members)


@pytest.mark.parametrize(
    "name", ["../model.json", "/model.json", "a/model.json", "..\\model.json", "model.py", "model.pkl", ".json"]
)
def test_a_name_that_could_leave_the_folder_or_run_is_refused_both_ways(members, packed, tmp_path, name):
    with pytest.raises(InputError, match="only plain names"):
        pack({name: members["model.json"]}, tmp_path / "bad.zip")

    def change(archive):
        archive[name] = archive.pop("model.json")

    with pytest.raises(InputError, match="only plain names"):
        unpack(rewritten(packed, change), tmp_path / "there", members)
    assert not (tmp_path / "there").exists()


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFDIR, stat.S_IFIFO])
def test_a_link_is_refused(members, packed, tmp_path, kind):
    def change(archive):
        _, item = archive["model.json"]
        item.external_attr = (kind | 0o777) << 16
        return archive | {"model.json": (b"/etc/passwd", item)}

    with pytest.raises(InputError, match="a link or no plain file"):
        unpack(rewritten(packed, change), tmp_path / "there", members)


def test_compressed_members_are_refused_as_they_may_hide_their_size(members, packed, tmp_path):
    def change(archive):
        archive["model.json"][1].compress_type = zipfile.ZIP_DEFLATED

    with pytest.raises(InputError, match="is compressed"):
        unpack(rewritten(packed, change), tmp_path / "there", members)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_is_there_twice_is_refused(members, packed, tmp_path):
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr("model.json", "{}")
    with pytest.raises(InputError, match="there twice"):
        unpack(packed, tmp_path / "there", members)


def test_what_is_no_archive_is_refused(tmp_path):
    (tmp_path / "model.zip").write_text("no zip")
    with pytest.raises(InputError, match="not a whole packed model"):
        unpack(tmp_path / "model.zip", tmp_path / "there", [])


def test_components_and_their_stand_in_are_those_of_the_reference_samples(base, matrix):
    """Oracle: scikit-learn on all reference samples."""
    rows = matrix.rows(["pretrain", "scout"])
    values = base.standardise(matrix.expression[rows]).double().numpy()
    expected = PCA(5, svd_solver="full").fit(values)
    components = reference_components(base, matrix.expression, rows, 5, 1)
    found = PCA(5, svd_solver="full").fit(stand_in(components))
    np.testing.assert_allclose(found.mean_, expected.mean_, atol=1e-6)
    np.testing.assert_allclose(found.explained_variance_, expected.explained_variance_, rtol=1e-5)
    overlap = np.abs(found.components_ @ expected.components_.T)
    np.testing.assert_allclose(overlap, np.eye(5), atol=1e-4)


def test_the_card_tells_what_a_model_was_trained_on(base, members, matrix):
    information = read_json(members["model.json"]) | {"training_studies": ["study00", "study01"]}
    roles = ["pretrain"] * 2 + ["scout"] * 2 + ["test"]
    splits = pd.DataFrame({"split": "default", "study": [f"study{n:02d}" for n in range(5)], "role": roles})
    samples = pd.DataFrame({"study": matrix.studies, "organism": "mouse"})
    evaluation = pd.DataFrame(
        [["test", "a", "masked_mse", "model", 0.5], ["test", "b", "masked_mse", "model", 0.7]],
        columns=["split_role", "study", "metric", "predictor", "value"],
    )
    accuracy = pd.DataFrame({"held_out_accuracy": [0.9, 0.5, 0.7], "kept": [True, False, True]})
    genes = pd.DataFrame(columns=["gene_id", "bp_length", "human_bp_length"])
    organism = own_organism(pd.DataFrame({"organism": ["human", "mouse"]}), genes)
    card = make_card("mlp", information, organism, splits, samples, evaluation, accuracy, {"scouts": 3}, 86400.0 * 366)
    assert (card["organism"], card["date"], card["genes"]) == ("mouse", "1971-01-02", 40)
    assert (card["training_samples"], card["scout_studies"]) == (20, ["study02", "study03"])
    assert card["metrics"] == {
        "scouts_held_out_accuracy": 0.8,
        "held_out_studies": {"test masked_mse model": 0.6},
    }


def test_nothing_of_an_archive_is_ever_executed(members, packed, tmp_path):
    """A pickle, which torch.save would have made, is no member and is not read."""
    import pickle

    (tmp_path / "evil").write_bytes(pickle.dumps(print))
    pack(members | {"model.safetensors": tmp_path / "evil"}, packed)
    unpack(packed, tmp_path / "there", members)
    with pytest.raises(InputError, match="not a readable safetensors file"):
        load_base(tmp_path / "there/model.safetensors", tmp_path / "there/model.json")
    assert load_file(members["per_tensor.safetensors"])


def test_matrices_of_16_bits_come_back_as_numpy_rounds_them(tmp_path):
    weights = {"matrix": torch.randn(5, 7), "vector": torch.randn(7), "whole": torch.arange(6).reshape(2, 3)}
    save_file(weights, tmp_path / "wide")
    narrow(tmp_path / "wide", tmp_path / "narrow")
    assert load_file(tmp_path / "narrow")["matrix"].dtype == torch.float16
    widen(tmp_path / "narrow")
    back = load_file(tmp_path / "narrow")
    np.testing.assert_array_equal(back["matrix"], weights["matrix"].numpy().astype(np.float16).astype(np.float32))
    assert torch.equal(back["vector"], weights["vector"])
    assert torch.equal(back["whole"], weights["whole"])
    save_file({"matrix": torch.full((2, 2), 1e6)}, tmp_path / "large")
    with pytest.raises(InputError, match="'matrix' has a value too large for 16 bits; set"):
        narrow(tmp_path / "large", tmp_path / "narrow")


def test_a_model_of_16_bits_embeds_nearly_as_the_original_does(base, members, tmp_path):
    for name in ("model.safetensors", "per_tensor.safetensors"):
        narrow(members[name], tmp_path / f"narrow.{name}")
        members[name] = tmp_path / f"narrow.{name}"
    pack(members, tmp_path / "packed.zip")
    unpack(tmp_path / "packed.zip", tmp_path / "there", members)
    widen(tmp_path / "there/model.safetensors")
    again = load_base(tmp_path / "there/model.safetensors", tmp_path / "there/model.json")
    values = torch.randn(6, len(base.gene_ids))
    torch.testing.assert_close(again.network.embed(values), base.network.embed(values), rtol=0.01, atol=0.01)

"""The models that come with the repository: small, whole, and without the studies that they are tried on."""

import json

import pytest
from scarceseq.guide.content import check_content
from scarceseq.guide.guides import GUIDES
from scarceseq.guide.narrow import widen
from scarceseq.guide.packing import unpack

MEMBERS = ["model.safetensors", "model.json", "card.json", "components.safetensors", "sketches.safetensors"]
NEVER = {"mouse": {"influenza", "GSE96870"}, "human": {"airway", "four_tissues", "geuvadis"}}


@pytest.fixture(params=["mouse", "human"])
def organism(request):
    return request.param


def test_a_shipped_model_is_small_whole_and_says_where_it_is_from(request, tmp_path, organism):
    path = request.config.rootpath / f"models/{organism}_small.zip"
    assert path.stat().st_size < 5_000_000
    guides = [f"{name}.safetensors" for name in GUIDES]
    unpack(path, tmp_path, [*MEMBERS, *guides])
    for name in (*guides, "model.safetensors", "components.safetensors"):
        widen(tmp_path / name)
    check_content(tmp_path, list(GUIDES))
    card = json.loads((tmp_path / "card.json").read_text())
    trained = set(card["training_studies"]) | set(card["scout_studies"])
    assert not trained & NEVER[organism]
    assert {entry["study"] for entry in card["about"]["sources"]} == trained == set(card["sketched_studies"])
    assert all(entry["licence"] and entry["source"] for entry in card["about"]["sources"])
    assert not any("NC" in entry["licence"] for entry in card["about"]["sources"])
    assert card["about"]["made_by"] == "make models DATA=PATH"
    names = json.loads((tmp_path / "model.json").read_text())["vocabulary"]["gene_names"]
    assert len(set(names)) > 3900  # symbols beside the Ensembl ids

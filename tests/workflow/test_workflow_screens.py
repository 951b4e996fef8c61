"""Screens as people have them, through the config: read as their table says, or refused with the remedy.

Oracle: the handed files are one invented screen of 60 control cells and 30 of each of G1 to G5, each spoilt in one
way.
"""

import json
import shutil

import anndata
import h5py
import pytest
import yaml
from helpers import snakemake

READ = {
    "cp10k": {"values": "normalised"},
    "suffix": {"label_separator": "_"},
    "twocontrols": {"control": ["control", "non-targeting"]},
    "condition5": {},
    "compound_obs": {},
}
REFUSED = {
    "cp10k": "values: normalised",
    "suffix": 'label_separator: "_"',
    "twocontrols": "control: ['control', 'non-targeting']",
    "cut": "cannot be read as .h5ad",
    "linked": "is a link to elsewhere.h5ad /X",
}


@pytest.fixture
def run(repository_copy, shared_data):
    """Function that runs `normalise_cells` on screens of the handed folder, under keys by their name."""
    folder = repository_copy / "screens"
    shutil.copytree(shared_data / "odd_inputs/screens", folder)
    for path in folder.iterdir():
        path.chmod(0o644)
    content = (folder / "condition5.h5ad").read_bytes()
    (folder / "cut.h5ad").write_bytes(content[: len(content) * 2 // 3])
    (folder / "linked.h5ad").write_bytes(content)
    with h5py.File(folder / "linked.h5ad", "r+") as handle:
        del handle["X"]
        handle["X"] = h5py.ExternalLink("elsewhere.h5ad", "/X")

    def make(keys):
        screens = {name: {"path": f"screens/{name}.h5ad", "kind": "cells"} | more for name, more in keys.items()}
        config = {"name": "odd", "screens": screens}
        (repository_copy / "odd.yaml").write_text(yaml.safe_dump(config))
        targets = [f"results/odd/screen/{name}/cells.json" for name in keys]
        arguments = ("--cores", "2", "--keep-going", *targets, "--configfile", "odd.yaml")
        return snakemake(repository_copy, *arguments, check=False), repository_copy / "results/odd/screen"

    return make


def test_handed_screens_are_read_as_their_table_says(run):
    done, results = run(READ)
    assert done.returncode == 0, done.stdout[-3000:]
    for name in READ:
        counts = json.loads((results / name / "cells.json").read_text())
        assert (counts["control_cells"], counts["perturbations"], counts["perturbations_without_gene"]) == (60, 5, 0)
        cells = anndata.read_h5ad(results / name / "cells.h5ad")
        assert set(cells.obs["perturbation"]) == {"control", "G1", "G2", "G3", "G4", "G5"}


def test_screens_that_cannot_be_read_are_refused_with_the_remedy(run):
    done, results = run({name: {} for name in REFUSED})
    assert done.returncode != 0
    text = " ".join(done.stdout.split())
    for name, words in REFUSED.items():
        assert f"InputError: screens/{name}.h5ad: " in text
        assert words in text
        assert not (results / name / "cells.json").exists()

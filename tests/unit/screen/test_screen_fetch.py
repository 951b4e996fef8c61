"""Public screens are fetched whole or not at all, and what is not the file is recognised. Server on loopback."""

import hashlib
import json
import zipfile

import anndata
import numpy as np
import pytest
from faulty_mirror import serving
from scarceseq.archive.settings import DownloadSettings
from scarceseq.errors import DownloadError, InputError
from scarceseq.screen.fetch import catalogue, entry_of, fetch_screen

IMPATIENT = DownloadSettings(connections=1, retries=1, backoff_seconds=0.01, timeout_seconds=5)


@pytest.fixture
def served(tmp_path):
    """A folder on loopback with a screen, plain and zipped; returns (folder, function from name to entry)."""
    folder = tmp_path / "server"
    folder.mkdir()
    anndata.AnnData(np.eye(3, dtype=np.float32)).write_h5ad(folder / "screen.h5ad")
    with zipfile.ZipFile(folder / "packed", "w") as archive:
        archive.write(folder / "screen.h5ad", "name/perturb_processed.h5ad")
        archive.writestr("name/readme.txt", "hello")
    with serving(folder) as server:
        yield folder, lambda name, **known: {"url": f"{server.address}/{name}", "bytes": None, "md5": None} | known


@pytest.mark.parametrize("name", ["screen.h5ad", "packed"])
def test_a_screen_arrives_as_it_was_packed_or_not(served, tmp_path, name):
    folder, entry = served
    content = (folder / name).read_bytes()
    known = {"bytes": len(content), "md5": hashlib.md5(content).hexdigest()}
    for number, given in enumerate([entry(name), entry(name, **known)]):
        fetch_screen(given, tmp_path / f"{number}.h5ad", IMPATIENT)
        assert (tmp_path / f"{number}.h5ad").read_bytes() == (folder / "screen.h5ad").read_bytes()


def test_the_first_fetch_records_the_sum_and_later_ones_must_give_it(served, tmp_path):
    folder, entry = served
    target = tmp_path / "source.h5ad"
    fetch_screen(entry("screen.h5ad"), target, IMPATIENT)
    content = (folder / "screen.h5ad").read_bytes()
    recorded = json.loads((tmp_path / "source.fetched.json").read_text())
    assert recorded["bytes"] == len(content)
    assert recorded["md5"] == hashlib.md5(content).hexdigest()
    fetch_screen(entry("screen.h5ad"), target, IMPATIENT)
    anndata.AnnData(2 * np.eye(3, dtype=np.float32)).write_h5ad(folder / "screen.h5ad")
    with pytest.raises(DownloadError, match=r"delete the \.fetched\.json"):
        fetch_screen(entry("screen.h5ad"), target, IMPATIENT)
    assert target.read_bytes() == content
    (tmp_path / "source.fetched.json").unlink()
    fetch_screen(entry("screen.h5ad"), target, IMPATIENT)
    assert target.read_bytes() != content


@pytest.mark.parametrize(
    ("content", "known", "message"),
    [
        (b"<html><body>403 Forbidden</body></html>", {}, "a web page came"),
        (b"hello", {}, "neither an .h5ad nor a zip"),
        (None, {"bytes": 17}, "bytes, not 17"),
        (None, {"md5": "0" * 32}, "md5 .* not 0000"),
        ("empty zip", {}, "0 .h5ad files"),
    ],
)
def test_what_is_not_the_file_leaves_nothing_behind(served, tmp_path, content, known, message):
    folder, entry = served
    if content == "empty zip":
        with zipfile.ZipFile(folder / "screen.h5ad", "w") as archive:
            archive.writestr("readme.txt", "hello")
    elif content is not None:
        (folder / "screen.h5ad").write_bytes(content)
    (tmp_path / "out").mkdir()
    with pytest.raises(DownloadError, match=message):
        fetch_screen(entry("screen.h5ad", **known), tmp_path / "out" / "screen.h5ad", IMPATIENT)
    assert list((tmp_path / "out").iterdir()) == []


def test_the_catalogue_names_its_screens_and_leaves_unknown_sums_empty():
    known = catalogue()
    assert {"adamson", "norman", "replogle_k562_essential", "replogle_rpe1_essential"} <= set(known.index)
    assert known["url"].str.startswith("https://").all()
    sums = known["md5"].dropna()
    assert sums.str.fullmatch("[0-9a-f]{32}").all() if len(sums) else known["md5"].isna().all()
    with pytest.raises(InputError, match="no screen of the catalogue; it has adamson"):
        entry_of("unheard_of")

"""The generated archive through the same code as the real one. Oracle: a folder and a server must give the same."""

from dataclasses import asdict, replace

import pytest
from scarceseq.archive.fetch import fetch_annotation, fetch_batch
from scarceseq.archive.layout import KINDS
from scarceseq.archive.manifest import by_study, why_unusable
from scarceseq.archive.plan import fetch_project_tables, plan_studies, planned_studies
from scarceseq.archive.tables import read_annotation
from scarceseq.demo.generate import generate_demo
from scarceseq.demo.settings import DemoSettings


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """A generated archive of ten studies."""
    folder = tmp_path_factory.mktemp("demo")
    settings = asdict(DemoSettings()) | {"studies": 10, "genes": 300, "perturbations": 20, "cells_per_perturbation": 10}
    places = [folder / name for name in ("archive", "screen.h5ad", "annotation.tsv.gz", "truth")]
    generate_demo(*places, settings=settings, seed=3, annotation_code="M023")
    return folder / "archive"


def fetch_all(mirrors, folder):
    folder.mkdir()
    fetch_annotation(mirrors, "mouse", "M023", folder / "annotation.gtf.gz")
    runs = fetch_project_tables(mirrors, "mouse", ["sra"], folder)
    studies = plan_studies(runs, ["batch_0"], (1, 0), [], {})
    gene_ids = list(read_annotation(folder / "annotation.gtf.gz")["gene_id"])
    return studies, fetch_batch(mirrors, planned_studies(runs), "M023", gene_ids, folder / "batch")


def test_a_server_and_a_folder_give_the_same_verified_files(archive, serve, make_mirrors, tmp_path):
    studies, from_folder = fetch_all(make_mirrors(archive), tmp_path / "folder")
    _, from_server = fetch_all(make_mirrors(serve(archive).address), tmp_path / "server")
    assert len(studies) == 10
    assert len(from_folder) == 10 * len(KINDS)
    assert [why_unusable(files) for files in by_study(from_folder).values()] == [None] * 10
    good = [
        [replace(entry, url=None, final_url=None) for entry in entries if entry.status == "ok"]
        for entries in (from_folder, from_server)
    ]
    assert good[0] == good[1]
    assert [entry.status for entry in from_folder] == [entry.status for entry in from_server]

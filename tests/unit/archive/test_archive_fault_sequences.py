"""Drawn sequences of faults on every kind of file. Oracle: the tiny archive's own bytes."""

import numpy as np
import pytest
from scarceseq.archive.fetch import fetch_batch
from scarceseq.files import sha256

FAULTS = {
    "missing": lambda true: lambda handler: handler.answer(404),
    "forbidden": lambda true: lambda handler: handler.answer(403),
    "busy": lambda true: lambda handler: handler.answer(503, Retry_After="0"),
    "html": lambda true: lambda handler: handler.answer(200, b"<html>"),
    "empty": lambda true: lambda handler: handler.answer(200),
    "cut": lambda true: lambda handler: handler.answer(200, true[:-9]),
    "broken_off": lambda true: lambda handler: handler.answer(200, true[:-9], announced=len(true)),
    "corrupt": lambda true: lambda handler: handler.answer(200, true[:-6] + b"\0" * 6),
    "redirect": lambda true: lambda handler: handler.answer(302, Location="/nowhere"),
}


@pytest.mark.parametrize("seed", range(12))
def test_whatever_the_faults_only_true_files_are_accepted_and_none_is_fetched_twice(
    tiny, serve, make_mirrors, tmp_path, seed
):
    generator, server, folder = np.random.default_rng(seed), serve(tiny.folder), tmp_path / "batch"
    kinds = ("gene_sums", "source", "recount_qc", "recount_pred", "recount_seq_qc")
    good = set()
    for turn in range(5):
        server.requests.clear()
        server.faults = {
            tiny.path(kind): FAULTS[generator.choice(list(FAULTS))](tiny.raw(kind))
            for kind in kinds
            if turn < 4 and generator.random() < 0.7
        }
        entries = fetch_batch(make_mirrors(server.address), [(tiny.study, set(tiny.runs))], "M023", tiny.genes, folder)
        assert not good & set(server.requests)
        for entry in entries:
            served_well = entry.path in good or entry.path not in server.faults
            assert (entry.status == "ok") == served_well, entry
            assert (folder / entry.path).exists() == served_well
            if served_well:
                assert (folder / entry.path).read_bytes() == tiny.raw(entry.kind)
                assert sha256(folder / entry.path) == entry.sha256
                good.add(entry.path)
            else:
                assert entry.detail
        assert [path.name for path in folder.rglob(".*")] == []
    assert len(good) == len(kinds)

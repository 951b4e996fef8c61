"""What fetching survives, over HTTP on loopback and from a folder. Oracle: the tiny archive's own contents."""

import gzip
import itertools
import threading
import time
from dataclasses import replace
from pathlib import Path

import faulty_mirror as faulty
import pytest
from scarceseq.archive.download import DamagedError
from scarceseq.archive.fetch import fetch_batch
from scarceseq.archive.layout import study_path
from scarceseq.archive.manifest import Entry, check_failed_share, checked_path, why_skipped, why_unusable
from scarceseq.archive.mirrors import Mirrors
from scarceseq.archive.ruled_out import StudyExclusion
from scarceseq.archive.settings import DownloadSettings, MetadataFilter
from scarceseq.errors import DownloadError, InputError
from whole_gene_sums import read_gene_sums

KINDS = ("gene_sums", "source", "recount_qc", "recount_pred", "recount_seq_qc")
# The tiny study's runs are predicted to be bulk.
ONLY_CELLS = StudyExclusion(MetadataFilter(["scrna-seq"], 0, []))


@pytest.fixture
def fetch(tiny, make_mirrors, tmp_path):
    """Function that fetches the tiny archive's batch from some addresses; returns {kind: Entry}."""

    def run(*addresses, runs=tuple(tiny.runs), exclusion=None):
        planned = [(tiny.study, set(runs))]
        entries = fetch_batch(make_mirrors(*addresses), planned, "M023", tiny.genes, tmp_path / "batch", exclusion)
        return {entry.kind: entry for entry in entries}

    return run


@pytest.fixture(params=["http", "folder"])
def address(request, tiny, serve):
    """The tiny archive's address, once of each kind."""
    return serve(tiny.folder).address if request.param == "http" else tiny.folder


def test_a_good_study_is_fetched_whole_and_the_manifest_says_what_came_from_where(fetch, address, tiny, tmp_path):
    entries = fetch(address)
    assert {kind: entry.status for kind, entry in entries.items()} == dict.fromkeys(KINDS, "ok")
    assert why_unusable(entries) is None
    for kind, entry in entries.items():
        assert (tmp_path / "batch" / entry.path).read_bytes() == tiny.raw(kind)
        assert entry.bytes == len(tiny.raw(kind))
        assert entry.url.endswith(entry.path)
    assert (entries["gene_sums"].rows, entries["gene_sums"].columns) == (3, 3)


def replaced(old, new):
    return lambda tiny: tiny.write("gene_sums", tiny.read("gene_sums").replace(old, new))


def gene_rows_swapped(tiny):
    lines = tiny.read("gene_sums").splitlines(keepends=True)
    tiny.write("gene_sums", b"".join([*lines[:3], lines[4], lines[3], *lines[5:]]))


def last_gene_gone(tiny):
    tiny.write("gene_sums", b"".join(tiny.read("gene_sums").splitlines(keepends=True)[:-1]))


def one_gene_more(tiny):
    tiny.write("gene_sums", tiny.read("gene_sums") + b"ENSMUSG00000000009.1\t1\t1\t1\n")


def cut_in_half(tiny):
    tiny.put(tiny.path("gene_sums"), tiny.raw("gene_sums")[: len(tiny.raw("gene_sums")) // 2])


def corrupt_tail(tiny):
    raw = tiny.raw("gene_sums")
    tiny.put(tiny.path("gene_sums"), raw[:-6] + bytes(byte ^ 0xFF for byte in raw[-6:]))


def garbage_behind(tiny):
    tiny.put(tiny.path("gene_sums"), tiny.raw("gene_sums") + b"<html>")


def html(tiny):
    tiny.put(tiny.path("gene_sums"), b"<!DOCTYPE html><html><body>Please log in</body></html>")


DAMAGE = {
    "gzip cut in half, honest length": (cut_in_half, "not a whole gzip file"),
    "corrupt gzip tail": (corrupt_tail, "not a whole gzip file"),
    "garbage behind the gzip": (garbage_behind, "not a whole gzip file"),
    "HTML instead of gzip": (html, "not a whole gzip file"),
    "another annotation": (replaced(b"=M023", b"=G026"), "annotation G026, not M023"),
    "no annotation line": (replaced(b"##annotation=M023\n", b""), "the first line is not"),
    "genes permuted": (gene_rows_swapped, "where the annotation has"),
    "a gene missing": (last_gene_gone, "2 genes, the annotation M023 has 3"),
    "a gene too many": (one_gene_more, "where the annotation has (end)"),
    "a run twice": (replaced(b"SRR3", b"SRR1"), "several columns for run SRR1"),
    "a blank cell": (replaced(b"\t5\t", b"\t\t"), "blank"),
    "a NaN": (replaced(b"\t5\t", b"\tNaN\t"), "whole numbers"),
    "a fraction": (replaced(b"\t5\t", b"\t5.5\t"), "whole numbers"),
    "a negative value": (replaced(b"\t5\t", b"\t-5\t"), "negative"),
    "beyond 2**63": (replaced(b"\t5\t", b"\t9999999999999999999\t"), "whole numbers"),
    "a row too short": (replaced(b"\t5\t6", b"\t5"), "whole numbers|blank"),
    "no planned run": (replaced(b"SRR", b"ERR"), "none of the 3 planned runs"),
}


@pytest.mark.parametrize(("damage", "words"), DAMAGE.values(), ids=DAMAGE)
def test_damaged_gene_sums_are_recorded_and_never_kept(fetch, address, tiny, tmp_path, damage, words):
    damage(tiny)
    entries = fetch(address)
    assert entries["gene_sums"].status == "damaged"
    assert any(word in entries["gene_sums"].detail for word in words.split("|")), entries["gene_sums"].detail
    assert not (tmp_path / "batch" / tiny.path("gene_sums")).exists()
    assert entries["source"].status == "ok"
    assert "gene_sums damaged" in why_unusable(entries)


def test_a_body_shorter_than_announced_is_damaged(fetch, serve, tiny):
    server = serve(tiny.folder)
    body = tiny.raw("gene_sums")
    server.faults[tiny.path("gene_sums")] = lambda handler: handler.answer(200, body[:-20], announced=len(body))
    entries = fetch(server.address)
    assert entries["gene_sums"].status == "damaged"
    assert "broke off" in entries["gene_sums"].detail


def test_a_body_that_breaks_off_once_is_fetched_again(fetch, serve, tiny):
    server, path, body = serve(tiny.folder), tiny.path("gene_sums"), tiny.raw("gene_sums")

    def once(handler):
        return False if server.requests.count(path) > 1 else handler.answer(200, body[:-20], announced=len(body))

    server.faults[path] = once
    assert fetch(server.address)["gene_sums"].status == "ok"
    assert server.requests.count(path) == 2


def test_a_busy_server_is_asked_again_after_the_time_it_names(fetch, serve, tiny):
    server, path = serve(tiny.folder), tiny.path("source")
    server.faults[path] = lambda handler: (
        False if server.requests.count(path) > 1 else handler.answer(503, Retry_After="1")
    )
    start = time.monotonic()
    assert fetch(server.address)["source"].status == "ok"
    assert time.monotonic() - start >= 1


def test_connections_are_kept_and_no_more_are_open_than_allowed(tiny, serve, make_mirrors, tmp_path, monkeypatch):
    server, opened, busy, most = serve(tiny.folder), [], [], []
    accept, handle = server.get_request, server.RequestHandlerClass.func.do_GET

    def counting():
        opened.append(1)
        return accept()

    def slow(handler):
        busy.append(1)
        most.append(len(busy))
        time.sleep(0.02)
        handle(handler)
        busy.pop()

    monkeypatch.setattr(server, "get_request", counting)
    monkeypatch.setattr(server.RequestHandlerClass.func, "do_GET", slow)
    mirrors = make_mirrors(server.address)
    studies = [replace(tiny.study, project=f"SRP{number}") for number in range(8)]
    for study, kind in itertools.product(studies, KINDS):
        tiny.put(study_path(study, kind, "M023"), tiny.raw(kind))
    planned = [(study, set(tiny.runs)) for study in studies]
    entries = fetch_batch(mirrors, planned, "M023", tiny.genes, tmp_path / "batch")
    assert {entry.status for entry in entries} == {"ok"}
    assert len(server.requests) == 8 * 5
    assert len(opened) == max(most) == mirrors.settings.connections == 2


def test_waits_between_tries_double_and_are_not_the_same_for_all(tiny, serve, make_mirrors, tmp_path, monkeypatch):
    server, waits, sleep, here = serve(tiny.folder), [], time.sleep, threading.current_thread()

    def wait(seconds):
        (waits.append if threading.current_thread() is here else sleep)(seconds)

    monkeypatch.setattr(time, "sleep", wait)
    settings = DownloadSettings(connections=1, retries=3, backoff_seconds=4, timeout_seconds=5)
    for kind in ("recount_qc", "source"):
        server.faults[tiny.path(kind)] = faulty.status(503, Connection="close")
        with pytest.raises(DownloadError, match="status 503"):
            Mirrors([server.address], settings).fetch(tiny.path(kind), tmp_path / "x", lambda path: None)
    server.faults[tiny.path("source")] = faulty.body(lambda true: true[:9], announced=len)
    with pytest.raises(DamagedError):
        Mirrors([server.address], settings).fetch(tiny.path("source"), tmp_path / "x", lambda path: None)
    assert len(set(waits)) == len(waits) == 2 + 2 + 3  # the first of a session's retries is made at once
    for wait, lowest, highest in zip(waits, (8, 16, 8, 16, 4, 8, 16), (12, 20, 12, 20, 8, 16, 32), strict=True):
        assert lowest <= wait <= highest


@pytest.mark.parametrize("kind", ["gene_sums", "source", "recount_qc"])
def test_a_study_without_a_required_file_is_absent_and_unusable(fetch, address, tiny, kind):
    tiny.remove(kind)
    entries = fetch(address)
    assert entries[kind].status == "absent"
    assert why_unusable(entries).startswith(f"{kind} absent")


@pytest.mark.parametrize("kind", ["recount_pred", "recount_seq_qc"])
def test_a_study_without_predictions_or_sequence_qc_is_usable(fetch, address, tiny, kind):
    tiny.remove(kind)
    entries = fetch(address)
    assert entries[kind].status == "absent"
    assert why_unusable(entries) is None


def test_header_only_predictions_are_good(fetch, address, tiny):
    tiny.write("recount_pred", tiny.read("recount_pred").splitlines(keepends=True)[0])
    entries = fetch(address)
    assert (entries["recount_pred"].status, entries["recount_pred"].rows) == ("ok", 0)
    assert why_unusable(entries) is None


def test_runs_missing_or_extra_are_told_and_not_fatal(fetch, address):
    entries = fetch(address, runs=("SRR1", "SRR2", "SRR7"))
    assert entries["gene_sums"].status == "ok"
    assert entries["gene_sums"].detail == "1 missing runs (SRR7); 1 extra runs (SRR3)"
    assert entries["source"].detail == "1 missing runs (SRR7); 1 extra runs (SRR3)"


def test_a_run_twice_in_metadata_is_damaged(fetch, address, tiny):
    lines = tiny.read("source")
    tiny.write("source", lines + lines.splitlines(keepends=True)[-1])
    assert fetch(address)["source"].status == "damaged"


def test_a_ragged_metadata_table_is_damaged(fetch, address, tiny):
    tiny.write("source", tiny.read("source").replace(b"SRX1\tNA\n", b"SRX1\tNA\textra\n", 1))
    assert "fields" in fetch(address)["source"].detail


def test_values_beyond_32_bits_stay_exact(fetch, address, tiny, tmp_path):
    replaced(b"\t5\t", b"\t9007199254740993\t")(tiny)  # 2**53 + 1: no float64 holds it
    entries = fetch(address)
    _, _, sums = read_gene_sums(checked_path(tmp_path / "batch", entries["gene_sums"]))
    assert sums[1].tolist() == [4, 9007199254740993, 6]


def test_the_next_mirror_serves_what_the_first_has_damaged(fetch, serve, tiny, tmp_path):
    server = serve(tiny.folder)
    server.faults[tiny.path("gene_sums")] = lambda handler: handler.answer(200, b"<html>")
    entries = fetch(server.address, tiny.folder)
    assert entries["gene_sums"].status == "ok"
    assert entries["gene_sums"].url.startswith("file://")
    assert entries["source"].url.startswith("http://")


def test_one_server_of_two_is_no_proof_of_absence(fetch, serve, tiny):
    alive = serve(tiny.folder)
    alive.faults[tiny.path("gene_sums")] = lambda handler: handler.answer(404)
    entries = fetch(alive.address, "http://127.0.0.1:9")
    assert entries["gene_sums"].status == "failed"


def test_unreachable_mirrors_stop_the_batch(fetch):
    with pytest.raises(DownloadError, match="no mirror can be reached"):
        fetch("http://127.0.0.1:9")


def test_a_second_run_fetches_nothing_that_verifies(fetch, serve, tiny, tmp_path):
    server = serve(tiny.folder)
    first = fetch(server.address)
    server.requests.clear()
    damaged = tmp_path / "batch" / tiny.path("source")
    damaged.write_bytes(damaged.read_bytes()[:-1])
    assert fetch(server.address) == first
    assert server.requests == [tiny.path("source")]


def test_a_file_of_another_mirror_is_not_taken_for_this_ones(fetch, serve, tiny):
    first, second = serve(tiny.folder), serve(tiny.folder)
    fetch(first.address)
    assert fetch(second.address)["source"].url.startswith(second.address)


def test_a_changed_original_in_a_folder_is_fetched_again(fetch, tiny, tmp_path):
    fetch(tiny.folder)
    replaced(b"\t5\t", b"\t50\t")(tiny)
    entries = fetch(tiny.folder)
    assert gzip.decompress((tmp_path / "batch" / entries["gene_sums"].path).read_bytes()) == tiny.read("gene_sums")


def test_a_file_changed_after_it_was_verified_is_refused(fetch, tiny, tmp_path):
    entry = fetch(tiny.folder)["gene_sums"]
    (tmp_path / "batch" / entry.path).write_bytes(b"other")
    with pytest.raises(InputError, match="changed since it was verified"):
        checked_path(tmp_path / "batch", entry)


def test_the_gene_sums_of_a_study_that_metadata_rule_out_are_never_asked_for(fetch, serve, tiny):
    server = serve(tiny.folder)
    entries = fetch(server.address, exclusion=ONLY_CELLS)
    assert tiny.path("gene_sums") not in server.requests
    reason = "metadata rule out all 3 runs: 3 type:pred.type"
    assert (entries["gene_sums"].status, why_skipped(entries)) == ("skipped", reason)
    assert {entries[kind].status for kind in KINDS[1:]} == {"ok"}


def test_metadata_rule_nothing_out_while_a_required_table_is_missing(fetch, address, tiny):
    tiny.remove("recount_qc")
    entries = fetch(address, exclusion=ONLY_CELLS)
    assert (entries["gene_sums"].status, entries["recount_qc"].status) == ("ok", "absent")


def test_a_skipped_study_is_not_a_failed_one():
    skipped = [replace(entry, status="skipped", detail="cells") for entry in entries_of("SRP2", "ok")[:1]]
    assert check_failed_share([*entries_of("SRP1", "ok"), *skipped, *entries_of("SRP2", "ok")[1:]], 0) == {}


def entries_of(project, status):
    base = dict.fromkeys(Entry.__dataclass_fields__)
    required = ("gene_sums", "source", "recount_qc")
    return [
        Entry(**base | {"organism": "mouse", "source": "sra", "project": project, "kind": kind, "status": status})
        for kind in required
    ]


def test_the_run_stops_only_above_the_allowed_share_of_failed_studies():
    entries = [*entries_of("SRP1", "ok"), *entries_of("SRP2", "ok"), *entries_of("SRP3", "absent")]
    assert [study.project for study in check_failed_share(entries, 0.34)] == ["SRP3"]
    with pytest.raises(InputError, match=r"1 of 3 studies cannot be used(.|\n)*SRP3"):
        check_failed_share(entries, 0.33)


def test_what_a_killed_run_left_is_cleared_and_its_torn_journal_read(fetch, serve, tiny, tmp_path):
    server = serve(tiny.folder)
    first = fetch(server.address)
    half = tmp_path / "batch" / Path(tiny.path("source")).parent / ".half.gz.x.tmp.gz"
    half.write_bytes(b"half")
    journal = tmp_path / "batch" / "fetched.jsonl"
    journal.write_text(journal.read_text() + '\n{"path": "mouse/da')
    server.requests.clear()
    assert fetch(server.address) == first
    assert server.requests == []
    assert not half.exists()

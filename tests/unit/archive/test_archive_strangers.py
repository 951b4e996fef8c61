"""What a mirror that means harm, or is broken, can do: at most damage its own files. Oracle: the attack's own bytes."""

import gzip
import os
import threading
import time
from dataclasses import replace

import faulty_mirror as faulty
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scarceseq.archive.download import DamagedError, Limits, OverLimitError, _ask, make_session
from scarceseq.archive.fetch import fetch_batch
from scarceseq.archive.layout import study_path
from scarceseq.archive.mirrors import Mirrors
from scarceseq.archive.names import inside, is_name
from scarceseq.archive.plan import plan_studies, read_project_table
from scarceseq.archive.settings import DownloadSettings
from scarceseq.archive.tables import read_annotation
from scarceseq.archive.verify import metadata_bytes, verify_metadata
from scarceseq.errors import DownloadError

SETTINGS = DownloadSettings(connections=2, retries=1, backoff_seconds=0.01, timeout_seconds=5)
EVIL = ["../../x/EVIL", "..", "/etc/EVIL", "a/b", "a\\b", "", ".hidden", "a..b", "x" * 101, "a\nb", "a b", "é", "-x"]
GOOD = ["SRP000101", "BLOOD_VESSEL", "GTEX-1117F-0226-SM-5GZZ7.1", "e2b0d7a1-95a6-4b5d-8f0e-1a2b3c4d5e6f", "x" * 100]


@pytest.fixture
def fetch(tiny, tmp_path):
    """Function that fetches studies of the tiny archive into one batch; returns {project: {kind: Entry}}."""

    def run(address, *studies, limits=None):
        mirrors = Mirrors([str(address)], SETTINGS, limits)
        planned = [(study, set(tiny.runs)) for study in studies or (tiny.study,)]
        found = {}
        for entry in fetch_batch(mirrors, planned, "M023", tiny.genes, tmp_path / "in/batch"):
            found.setdefault(entry.project, {})[entry.kind] = entry
        return found

    return run


@pytest.mark.parametrize("name", EVIL)
def test_an_id_that_is_a_path_damages_its_study_alone_and_writes_nothing_outside(name, fetch, tiny, tmp_path):
    evil = replace(tiny.study, project=name)
    if name.startswith("..") or "/" in name:  # as the attacker would serve it
        for kind in ("gene_sums", "source", "recount_qc"):
            path = study_path(evil, kind, "M023")
            try:
                tiny.put(path, tiny.raw(kind))
            except OSError:
                continue
    before = {path for path in tmp_path.rglob("*") if tmp_path / "in" not in [path, *path.parents]}
    found = fetch(tiny.folder, evil, tiny.study)
    assert {entry.status for entry in found[name].values()} == {"damaged"}
    assert "is no plain name" in found[name]["gene_sums"].detail
    assert {entry.status for entry in found[tiny.study.project].values()} == {"ok"}
    after = {path for path in tmp_path.rglob("*") if tmp_path / "in" not in [path, *path.parents]}
    assert after == before
    assert not [path for path in (tmp_path / "in").rglob("*EVIL*")]


def test_a_run_whose_id_is_a_path_damages_its_study(tiny, make_mirrors, tmp_path):
    planned = [(tiny.study, {"SRR1", "../SRR2"})]
    entries = fetch_batch(make_mirrors(tiny.folder), planned, "M023", tiny.genes, tmp_path / "batch")
    assert {entry.detail for entry in entries} == {"the id of a run is no plain name ('../SRR2')"}


def test_a_folder_that_is_a_link_out_of_the_batch_is_not_written_through(fetch, tiny, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "in/batch").mkdir(parents=True)
    (tmp_path / "in/batch/mouse").symlink_to(tmp_path / "elsewhere")
    found = fetch(tiny.folder)[tiny.study.project]
    assert {entry.status for entry in found.values()} == {"damaged"}
    assert "leads out of the folder" in found["source"].detail
    assert list((tmp_path / "elsewhere").iterdir()) == []


@given(st.text(max_size=120))
def test_a_name_is_one_component_of_a_path_whatever_the_text(text):
    if is_name(text):
        assert os.path.normpath(f"a/{text}") == f"a/{text}"
        assert os.sep not in text


@given(st.lists(st.sampled_from(["..", ".", "a", "b", "/", ""]), max_size=6).map("/".join))
def test_a_path_is_inside_exactly_where_its_normal_form_is(tmp_path_factory, path):
    folder = tmp_path_factory.getbasetemp() / "folder"
    normal = os.path.normpath(folder / path)
    if normal == str(folder) or normal.startswith(f"{folder}{os.sep}"):
        assert inside(folder, path) == folder / path
    else:
        with pytest.raises(DamagedError):
            inside(folder, path)


def test_names_of_real_archives_are_names():
    assert all(map(is_name, GOOD))
    assert not any(map(is_name, EVIL))
    assert not is_name(None)


def test_studies_with_odd_ids_are_listed_as_damaged_and_in_no_batch(tmp_path):
    rows = [("rail_id", "external_id", "study", "project")]
    rows += [("1", "SRR1", "s", "SRP1"), ("2", "SRR2", "s", "../../x/EVIL"), ("3", "../SRR3", "s", "SRP3")]
    (tmp_path / "t.gz").write_bytes(faulty.packed(rows))
    runs = read_project_table(tmp_path / "t.gz").assign(organism="mouse", source="sra")
    studies = plan_studies(runs, ["batch_0"], (1, 0), [], {}).set_index("project")
    assert studies.loc["SRP1", "batch"] == "batch_0"
    assert studies.loc[["../../x/EVIL", "SRP3"], "batch"].isna().all()
    assert studies.loc["SRP3", "skip_reason"] == "damaged: the id of a run is no plain name ('../SRR3')"


@pytest.mark.parametrize("location", ["file:///etc/hostname", "ftp://127.0.0.1/x", "data:text/plain,x", "//[bad"])
def test_redirects_keep_to_http(fetch, serve, tiny, location):
    server = serve(tiny.folder)
    server.faults[tiny.path("source")] = lambda handler: handler.answer(302, Location=location)
    entry = fetch(server.address)[tiny.study.project]["source"]
    assert entry.status in ("damaged", "failed")
    assert entry.bytes is None


def test_a_redirect_to_a_file_is_named(fetch, serve, tiny):
    server = serve(tiny.folder)
    server.faults[tiny.path("source")] = lambda handler: handler.answer(302, Location="file:///etc/hostname")
    entry = fetch(server.address)[tiny.study.project]["source"]
    assert "a redirect leads from http to 'file:///etc/hostname'" in entry.detail
    assert server.requests.count(tiny.path("source")) == 1


def test_a_redirect_never_leaves_https():
    class Answer:
        raw = type("Raw", (), {"read": staticmethod(lambda *args, **options: b"")})

        def close(self):
            pass

    class Fake:
        get = staticmethod(lambda url, **options: Answer())
        get_redirect_target = staticmethod(lambda answer: "http://example.org/x")

    with pytest.raises(OverLimitError, match=r"from https to 'http://example\.org/x'"):
        _ask(Fake(), "https://example.org/x", 1)


def test_redirects_in_a_circle_end(fetch, serve, tiny):
    server = serve(tiny.folder)
    server.faults[tiny.path("source")] = faulty.redirect(tiny.path("source"))
    assert "over 10 redirects" in fetch(server.address)[tiny.study.project]["source"].detail


def test_the_final_address_is_in_the_manifest_after_a_second_run_too(fetch, serve, tiny):
    server = serve(tiny.folder)
    tiny.put("elsewhere/x.gz", tiny.raw("source"))
    server.faults[tiny.path("source")] = faulty.redirect("elsewhere/x.gz")
    for _ in range(2):
        entry = fetch(server.address)[tiny.study.project]["source"]
        assert entry.url == f"{server.address}/{tiny.path('source')}"
        assert entry.final_url == f"{server.address}/elsewhere/x.gz"


@pytest.mark.parametrize("announced", ["abc", "-5", "1_0", "٣", "1e3", "9" * 5000, "5, 6", ""])
def test_a_length_that_is_no_number_damages_one_file(fetch, serve, tiny, announced):
    server = serve(tiny.folder)

    def fault(handler):
        handler.send_response(200)
        handler.wfile.flush()
        handler._headers_buffer.append(f"Content-Length: {announced}\r\n".encode())
        handler.end_headers()
        handler.wfile.write(tiny.raw("source"))
        handler.close_connection = True

    server.faults[tiny.path("source")] = fault
    found = fetch(server.address)[tiny.study.project]
    assert found["source"].status == "damaged", found["source"]
    assert {entry.status for kind, entry in found.items() if kind != "source"} == {"ok"}


def test_a_body_larger_than_the_table_can_be_is_not_read_to_its_end(fetch, serve, tiny):
    server, sent = serve(tiny.folder), []

    def endless(handler):
        handler.send_response(200)
        handler.end_headers()
        try:
            for _ in range(400):
                handler.wfile.write(bytes(1 << 20))
                sent.append(1)
        except OSError:
            pass
        handler.close_connection = True

    server.faults[tiny.path("source")] = endless
    entry = fetch(server.address)[tiny.study.project]["source"]
    assert f"the body goes on after the limit of {metadata_bytes(3)} bytes" in entry.detail
    assert len(sent) < 100
    assert server.requests.count(tiny.path("source")) == 1  # the same again would be the same


def test_an_announced_length_over_the_limit_is_refused_before_a_byte(fetch, serve, tiny):
    server = serve(tiny.folder)
    server.faults[tiny.path("source")] = lambda handler: handler.answer(200, b"", announced=10**12)
    assert "1000000000000 bytes are announced" in fetch(server.address)[tiny.study.project]["source"].detail


def test_a_slow_drip_ends_by_the_least_rate_although_each_wait_is_short(fetch, serve, tiny):
    server = serve(tiny.folder)
    server.faults[tiny.path("source")] = faulty.drip(0.2, pieces=100)
    start = time.monotonic()
    limits = Limits(grace_seconds=0.5, least_bytes_per_second=1e6)
    entry = fetch(server.address, limits=limits)[tiny.study.project]["source"]
    assert "less than 1e+06 a second" in entry.detail
    assert time.monotonic() - start < 5
    limits = Limits(seconds=0.5)
    entry = fetch(server.address, limits=limits)[tiny.study.project]["source"]
    assert "takes longer than the limit of 0.5 seconds" in entry.detail


def bomb(megabytes):
    """A gzip file of a table's header and one endless line."""
    return gzip.compress(b"rail_id\texternal_id\tstudy\n" + b"1\t2\t3" * (megabytes << 18), 9)


def test_a_small_file_that_unpacks_to_much_is_damaged_and_stays_out_of_memory(fetch, tiny):
    tiny.put(tiny.path("source"), bomb(300))
    entry = fetch(tiny.folder)[tiny.study.project]["source"]
    assert entry.status == "damaged"
    assert "a line of over" in entry.detail
    rows = b"".join(b"1\tSRR%d\t3\n" % number for number in range(1_500_000))
    tiny.put(tiny.path("source"), gzip.compress(b"rail_id\texternal_id\tstudy\n" + rows, 1))
    entry = fetch(tiny.folder)[tiny.study.project]["source"]
    assert f"unpacked, it goes on after the limit of {metadata_bytes(3)} bytes" in entry.detail


def test_gene_sums_and_annotations_that_unpack_to_much_are_damaged(fetch, tiny, tmp_path):
    tiny.write("gene_sums", b"##annotation=M023\n" + b"##x\n" * 2_000_000)
    entry = fetch(tiny.folder)[tiny.study.project]["gene_sums"]
    assert (entry.status, "unpacked, it goes on" in entry.detail) == ("damaged", True)
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"#" * (40 << 20), 1))
    with pytest.raises(OverLimitError, match="a line of over"):
        read_annotation(tmp_path / "a.gz")


def test_a_good_table_just_below_its_limit_is_read(tmp_path):
    """Oracle: the bytes of the text."""
    row = b"1\tSRR1\t" + b"x" * 1000
    body = b"rail_id\texternal_id\tstudy\n" + row + b"\n"
    (tmp_path / "t.gz").write_bytes(gzip.compress(body))
    assert verify_metadata(tmp_path / "t.gz", {"SRR1"}).rows == 1


def test_devices_and_pipes_are_no_files_of_a_mirror(fetch, tiny):
    for kind, make in {"source": lambda path: path.symlink_to("/dev/zero"), "recount_qc": os.mkfifo}.items():
        (tiny.folder / tiny.path(kind)).unlink()
        make(tiny.folder / tiny.path(kind))
    done = threading.Event()

    def run():
        found.update(fetch(tiny.folder)[tiny.study.project])
        done.set()

    found = {}
    threading.Thread(target=run, daemon=True).start()
    assert done.wait(20)
    assert (found["source"].status, found["recount_qc"].status) == ("absent", "absent")
    with pytest.raises(DownloadError):
        Mirrors(["file:///dev/zero"], SETTINGS).fetch("x", tiny.folder / "x", lambda path: None)
    assert make_session(SETTINGS).get("file:///dev/zero", timeout=1).status_code == 404

"""Studies that are drawn, named, or told by their title. Oracles: sets and sums by hand; a bare sort of digests."""

import gzip
import hashlib

import pandas as pd
import pytest
from scarceseq.archive.batches import batch_names
from scarceseq.archive.check import check, fill_in_studies
from scarceseq.archive.draw import Draw
from scarceseq.archive.plan import plan_studies
from scarceseq.archive.ruled_out import StudyExclusion, has_word, why_ruled_out
from scarceseq.archive.settings import MetadataFilter
from scarceseq.errors import InputError

BATCHES = ["batch_0", "batch_1", "batch_2"]

ARCHIVE = {"studies": [], "draw_studies": 0, "giant_studies": ["SRP8", "SRP9"], "batches": 100}


def runs_of(sizes):
    rows = [("mouse", "sra", name, f"{name}_{index}", "1") for name, size in sizes.items() for index in range(size)]
    return pd.DataFrame(rows, columns=["organism", "source", "project", "run", "rail_id"])


def taken(sizes, draw, bounds=(1, 0)):
    studies = plan_studies(runs_of(sizes), BATCHES, bounds, [], {}, draw=draw)
    return set(studies.loc[studies["batch"].notna(), "project"]), studies.set_index("project")["skip_reason"]


def test_the_draw_is_that_of_the_smallest_digests():
    names = [f"SRP{number}" for number in range(50)]
    digest = {name: hashlib.sha256(f"7\x1fdraw_studies\x1fmouse\x1fsra\x1f{name}".encode()).digest() for name in names}
    drawn, reasons = taken(dict.fromkeys(names, 3), Draw(studies=10, seed=7))
    assert drawn == set(sorted(names, key=lambda name: int.from_bytes(digest[name][:8], "big") >> 1)[:10])
    assert set(reasons.dropna()) == {"not drawn"}
    assert drawn != taken(dict.fromkeys(names, 3), Draw(studies=10, seed=8))[0]


def test_the_draw_hardly_changes_when_the_list_grows():
    few = {f"SRP{number}": 3 for number in range(400)}
    before = taken(few, Draw(studies=40))[0]
    after = taken(few | {f"ERP{number}": 3 for number in range(40)}, Draw(studies=40))[0]
    assert {name for name in after - before if name.startswith("SRP")} == set()
    assert len(before & after) >= 30


def test_studies_are_taken_until_the_next_would_bring_too_many_runs():
    sizes = {f"SRP{number}": number % 7 + 1 for number in range(100)}
    whole = taken(sizes, Draw(studies=60))[0]
    drawn, reasons = taken(sizes, Draw(studies=60, runs=150))
    assert drawn < whole
    assert 150 - 7 < sum(sizes[name] for name in drawn) <= 150
    assert {reasons[name] for name in whole - drawn} == {"beyond 150 runs"}


def test_what_is_skipped_for_another_reason_is_not_drawn():
    sizes = {f"SRP{number}": number for number in range(1, 40)}
    drawn, reasons = taken(sizes, Draw(studies=5), bounds=(10, 20))
    assert len(drawn) == 5
    assert all(10 <= sizes[name] <= 20 for name in drawn)
    assert (reasons["SRP9"], reasons["SRP21"]) == ("under 10 runs", "over 20 runs")


def test_a_limit_below_the_first_study_is_an_error_that_says_why():
    with pytest.raises(InputError, match=r"max_runs.*3 beyond 2 runs"):
        taken({"SRP1": 5, "SRP2": 5, "SRP3": 5}, Draw(runs=2))


def test_batches_and_giants_are_planned_for_what_is_named_or_drawn_alone():
    ordinary, giants = batch_names(ARCHIVE)
    assert (len(ordinary), giants) == (100, ["SRP8", "SRP9"])
    assert batch_names(ARCHIVE | {"studies": ["SRP1", "SRP2", "SRP9"]}) == (["batch_0", "batch_1"], ["SRP9"])
    assert batch_names(ARCHIVE | {"studies": ["SRP9"]}) == (["batch_0"], ["SRP9"])
    ordinary, giants = batch_names(ARCHIVE | {"draw_studies": 7})
    assert (len(ordinary), giants) == (7, [])


def test_a_file_names_studies_like_the_list(tmp_path):
    listed = tmp_path / "studies.tsv"
    listed.write_text("# mine\nSRP2\tliver\n\nSRP1\theart\n")
    config = {"archive": {"studies": ["SRP1"], "studies_file": str(listed)}}
    fill_in_studies(config)
    assert config["archive"]["studies"] == ["SRP1", "SRP2"]
    listed.write_text("\n")
    with pytest.raises(InputError, match="names no study"):
        fill_in_studies(config)


def test_bounds_that_leave_no_study_are_refused():
    config = {"archive": {"studies": [], "excluded_studies": [], "min_runs": 10, "max_study_runs": 9}}
    with pytest.raises(InputError, match=r"archive\.max_study_runs"):
        check(config)


@pytest.mark.parametrize(
    ("text", "words", "has"),
    [
        ("RNA-seq of mouse Liver after fasting", ["liver"], True),
        ("Liver_RNA", ["liver"], True),
        ("Slivers of bone", ["liver"], False),
        ("A study of the spinal cord", ["brain", "spinal cord"], True),
        ("", ["liver"], False),
    ],
)
def test_words_of_a_title_are_whole_words(text, words, has):
    assert has_word(text, words) is has


def test_a_study_without_a_wanted_word_in_its_title_is_ruled_out_by_its_metadata(tiny):
    path = next(tiny.folder.rglob("sra.sra.SRP000101.MD.gz"))
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    lines = [f"{line}\t{'study_title' if not number else 'Mouse liver'}" for number, line in enumerate(lines)]
    titled = tiny.folder / "titled.gz"
    titled.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))
    paths = {"source": titled, "recount_qc": next(tiny.folder.rglob("sra.recount_qc.SRP000101.MD.gz"))}
    why = {
        word: why_ruled_out(
            set(tiny.runs), paths, StudyExclusion(MetadataFilter(min_mapped_reads=1), title_words=[word])
        )
        for word in ("liver", "heart")
    }
    assert why["heart"] == "its title has none of the words heart"
    # What is said of a study whose title will do is said of its runs.
    assert "title" not in why["liver"]

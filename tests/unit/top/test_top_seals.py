"""What is damaged after it was written is noticed by whoever reads it; what is whole is read as it is."""

import json
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scarceseq import runtime, seals
from scarceseq.errors import InputError
from scarceseq.files import atomic, read_json, read_table, write_json, write_table
from scarceseq.seals import checked, load_rows, seal_path


def write(path, content):
    """A sealed file of some bytes."""
    with atomic(path, sealed=True) as temporary:
        temporary.write_bytes(content)
    return path


def spoil(path, content):
    """Other content under the name of a sealed file, as a process sees it that has not read it before."""
    path.write_bytes(content)
    seals._check_whole.cache_clear()  # times of files are coarse


DAMAGE = {
    "zeros": lambda content, place: content[:place] + bytes(len(content) - place),
    "flip": lambda content, place: content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :],
    "cut": lambda content, place: content[:place],
    "longer": lambda content, place: content + content[place:],
    "other": lambda content, place: content[place:] + content[:place],
}


@settings(max_examples=150, deadline=None)
@given(st.binary(min_size=1, max_size=200), st.sampled_from(sorted(DAMAGE)), st.data())
def test_any_damage_is_noticed_and_a_whole_file_never_refused(tmp_path_factory, content, kind, data):
    folder = tmp_path_factory.mktemp("sealed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seals, "BLOCK_BYTES", 16)
        patch.setenv(seals.RULE, "merge_corpus")
        path = write(folder / "file.bin", content)
        assert checked(path) == path
        spoilt = DAMAGE[kind](content, data.draw(st.integers(0, len(content) - 1)))
        spoil(path, spoilt)
        if spoilt == content:
            return
        with pytest.raises(InputError, match=r"file\.bin: damaged.*delete it and run again: rule merge_corpus"):
            checked(path)


def test_the_sums_are_those_of_zlib_block_by_block(tmp_path):
    content = np.random.default_rng(0).bytes(3 * seals.BLOCK_BYTES + 5)
    seal = json.loads(seal_path(write(tmp_path / "file.bin", content)).read_text())
    blocks = [content[start : start + seals.BLOCK_BYTES] for start in range(0, len(content), seals.BLOCK_BYTES)]
    assert seal["crc32"] == "".join(f"{zlib.crc32(block):08x}" for block in blocks)
    assert seal["bytes"] == len(content)


@pytest.fixture
def rows_in_small_blocks(tmp_path, monkeypatch):
    """A matrix of 40 rows of 24 bytes, sealed in blocks of 100 bytes, and its path."""
    monkeypatch.setattr(seals, "BLOCK_BYTES", 100)
    matrix = np.random.default_rng(1).normal(size=(40, 12)).astype(np.float16)
    with atomic(tmp_path / "training.npy", sealed=True) as temporary, open(temporary, "wb") as handle:
        np.save(handle, matrix)
    return matrix, tmp_path / "training.npy"


@pytest.mark.parametrize("index", [3, -1, slice(4, 9), [5, 39, 0], np.arange(40) % 3 == 0, (slice(2, 4), slice(0, 3))])
def test_rows_are_those_of_the_file_however_they_are_asked_for(rows_in_small_blocks, index):
    matrix, path = rows_in_small_blocks
    rows = load_rows(path)
    np.testing.assert_array_equal(rows[index], matrix[index])
    assert type(rows[index]) is not type(rows)


@pytest.mark.parametrize("row", [0, 7, 39])
def test_a_damaged_row_is_noticed_when_its_block_is_read_and_not_before(rows_in_small_blocks, row):
    matrix, path = rows_in_small_blocks
    place = path.stat().st_size - matrix.nbytes + row * 24 + 5
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    rows = load_rows(path)
    far = (row + 20) % 40
    np.testing.assert_array_equal(rows[[far]], matrix[[far]])
    for index in (row, [far, row], slice(row, row + 1)):
        with pytest.raises(InputError, match=r"training\.npy: damaged"):
            rows[index]


def test_a_matrix_cut_or_with_another_header_is_refused_when_it_is_opened(rows_in_small_blocks):
    _, path = rows_in_small_blocks
    whole = path.read_bytes()
    for spoilt in (whole[:-24], whole.replace(b"(40, 12)", b"(48, 10)")):
        path.write_bytes(spoilt)
        with pytest.raises(InputError, match="damaged"):
            load_rows(path)


def test_tables_and_json_carry_a_seal_and_are_checked(tmp_path):
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    for name in ("t.parquet", "t.tsv", "t.tsv.gz"):
        write_table(frame, tmp_path / name)
        pd.testing.assert_frame_equal(read_table(tmp_path / name), frame)
        content = (tmp_path / name).read_bytes()
        spoil(tmp_path / name, content[:-3] + bytes(byte ^ 1 for byte in content[-3:]))
        with pytest.raises(InputError, match=name):
            read_table(tmp_path / name)
    write_json({"a": 1}, tmp_path / "t.json")
    spoil(tmp_path / "t.json", b'{\n "a": 2\n}\n')
    with pytest.raises(InputError, match=r"t\.json: damaged"):
        read_json(tmp_path / "t.json")


def test_a_file_without_a_seal_is_read_and_a_damaged_seal_is_named(tmp_path):
    (tmp_path / "mine.json").write_text("[1]")
    assert read_json(tmp_path / "mine.json") == [1]
    write_json([1], tmp_path / "ours.json")
    for text in ("", "{}", '{"rule": "a", "bytes": 900000, "block_bytes": 5, "crc32": "00000000"}', "[]"):
        seal_path(tmp_path / "ours.json").write_text(text)
        with pytest.raises(InputError, match=r"\.ours\.json\.crc32: this checksum is damaged"):
            read_json(tmp_path / "ours.json")


def test_a_step_that_failed_leaves_neither_file_nor_seal(tmp_path):
    def fail():
        with atomic(tmp_path / "file", sealed=True) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_the_seal_names_the_rule_whose_log_was_begun(tmp_path):
    log = tmp_path / "logs/merge_corpus/all.log"
    log.parent.mkdir(parents=True)
    text = f"""
from scarceseq import files, runtime
runtime.start({str(log)!r})
files.write_json([1], {str(tmp_path / "out.json")!r})
"""
    subprocess.run([sys.executable, "-c", text], check=True, cwd=Path(runtime.__file__).parents[1])
    assert json.loads(seal_path(tmp_path / "out.json").read_text())["rule"] == "merge_corpus"


def resident_bytes(path):
    """Bytes of a file that are mapped into this process and in memory, by the kernel's own account."""
    found, inside = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.split()[0] and ":" not in line.split()[0]:
            inside = line.endswith(str(path))
        elif inside and line.startswith("Rss:"):
            found += int(line.split()[1]) * 1024
    return found


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="asks Linux")
def test_a_matrix_that_is_read_through_does_not_stay_in_memory(tmp_path, monkeypatch):
    path = tmp_path / "matrix.npy"
    values = np.random.default_rng(1).normal(size=(4000, 1000)).astype(np.float32)
    with atomic(path, sealed=True) as temporary, open(temporary, "wb") as handle:
        np.save(handle, values)
    kept = seals.load_rows(path)
    assert np.array_equal(kept[:], values)
    assert resident_bytes(path) > values.nbytes, "both the rows and what was checked of them"
    del kept
    monkeypatch.setattr(seals, "HELD_BYTES", 2**20)
    matrix = seals.load_rows(path)
    for _ in range(2):
        for start in range(0, 4000, 100):
            assert np.array_equal(matrix[start : start + 100], values[start : start + 100])
            assert resident_bytes(path) < 0.7 * values.nbytes

"""Reading the archive's files. Oracles: genuine files of the archive, and texts written here."""

import gzip
import io
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scarceseq.archive import parsing
from scarceseq.archive.download import DamagedError
from scarceseq.archive.gene_sums import gene_sum_blocks, read_header
from scarceseq.archive.parsing import plain_rows
from scarceseq.archive.tables import parse_attributes, read_annotation, read_metadata
from whole_gene_sums import read_gene_sums

HUMAN = "bulk/recount3_real/human_moseley_trimmed_mirror/recount3/human"
SAFE = st.text(st.characters(blacklist_characters="|;", blacklist_categories=["Cs", "Cc"]), min_size=1).map(str.strip)


def test_attributes_are_split_at_bars_then_at_the_first_double_semicolon():
    text = "age;;6 weeks|Cell Line;;a;;b|sex;;female|sex;;female|tissue;;liver|tissue;;lung|blank;;|;;value"
    assert parse_attributes(text) == [
        ("age", "6 weeks"),
        ("cell_line", "a;;b"),
        ("sex", "female"),
        ("tissue", "liver|lung"),
    ]


def test_a_run_without_attributes_has_none():
    assert parse_attributes(None) == parse_attributes(float("nan")) == parse_attributes("") == []


@given(st.dictionaries(SAFE.filter(bool), SAFE.filter(lambda text: text not in ("", "NA"))))
def test_attributes_written_are_read_back(attributes):
    expected = {}
    for key, value in attributes.items():
        expected.setdefault("_".join(key.lower().split()), {})[value] = None
    text = "|".join(f"{key};;{value}" for key, value in attributes.items())
    assert dict(parse_attributes(text)) == {key: "|".join(values) for key, values in expected.items()}


@given(st.text())
def test_no_attribute_text_is_too_odd_to_parse(text):
    keys = [key for key, _ in parse_attributes(text)]
    assert len(keys) == len(set(keys))


def test_metadata_keep_quotes_hashes_and_carriage_returns_as_text(tmp_path):
    path = tmp_path / "table.MD.gz"
    header = "rail_id\texternal_id\tstudy\t#bases\t%A\tTitle\n"
    path.write_bytes(
        gzip.compress((header + '007\tSRR1\tSRP1\t5\tNA\tthe "best # of\rall\n8\tSRR2\tSRP1\t\t1\tnan\n').encode())
    )
    table = read_metadata(path)
    assert list(table.columns) == ["rail_id", "external_id", "study", "#bases", "%a", "title"]
    assert table["rail_id"].tolist() == ["007", "8"]
    assert table["title"].tolist() == ['the "best # of\rall', "nan"]
    assert table["%a"].isna().tolist() == [True, False]
    assert table["#bases"].isna().tolist() == [False, True]


def test_blocks_join_to_the_whole_whatever_their_size(tiny, monkeypatch):
    path = tiny.folder / tiny.path("gene_sums")
    _, whole_ids, whole = read_gene_sums(path)
    monkeypatch.setattr("scarceseq.archive.gene_sums.BLOCK_BYTES", 1)
    _, ids, sums = read_gene_sums(path)
    assert ids == whole_ids == tiny.genes
    assert np.array_equal(sums, whole)
    assert sums.dtype == np.int64
    assert read_gene_sums(path, ["SRR3", "SRR1"])[2].tolist() == sums[:, [2, 0]].tolist()


def test_genuine_human_files_parse(shared_data):
    folder = shared_data / HUMAN
    for project, runs in {"DRP004088": ["DRR057223", "DRR057224"], "SRP014565": ["SRR527082"]}.items():
        home = folder / "data_sources/sra"
        sums_path = home / f"gene_sums/{project[-2:]}/{project}/sra.gene_sums.{project}.G026.gz"
        header, gene_ids, sums = read_gene_sums(sums_path)
        assert header.annotation == "G026"
        assert sorted(header.runs) == runs
        assert sums.shape == (20000, len(runs))
        plain = np.loadtxt(sums_path, dtype=str, skiprows=3)  # oracle: another reader
        assert gene_ids == plain[:, 0].tolist()
        assert np.array_equal(sums, plain[:, 1:].astype(np.int64))
        for kind, columns in {"sra": 41, "recount_qc": 112, "recount_seq_qc": 15, "recount_pred": 10}.items():
            table = read_metadata(home / f"metadata/{project[-2:]}/{project}/sra.{kind}.{project}.MD.gz")
            assert len(table.columns) == columns
            header_only = kind == "recount_pred" and project == "DRP004088"
            assert len(table) == (0 if header_only else len(runs))
    attributes = read_metadata(home.parent / "sra/metadata/88/DRP004088/sra.sra.DRP004088.MD.gz")["sample_attributes"]
    assert ("cell_line", "EBV-negative Akata") in parse_attributes(attributes[0])


def test_the_annotation_has_exonic_lengths(shared_data):
    mirror = shared_data / "bulk/recount3_real/mouse_SRP081192_reconstructed_mirror/recount3/mouse"
    genes = read_annotation(mirror / "annotations/gene_sums/mouse.gene_sums.M023.gtf.gz")
    assert len(genes) == 55421
    assert genes["bp_length"].median() == 1231  # the width on the genome has 3296
    assert genes.iloc[0].tolist() == ["ENSMUSG00000079800.2", "AC125149.3", "protein_coding", 1271]


CELLS = arrays(np.int64, (5, 3), elements=st.integers(0, 2**63 - 1))


@given(CELLS, st.booleans(), st.booleans())
def test_any_whole_numbers_of_63_bits_are_read_exactly(tmp_path_factory, cells, returns, last_newline):
    end = "\r\n" if returns else "\n"
    lines = ["##annotation=M023", "\t".join(["gene_id", "a", "b", "c"])]
    lines += ["\t".join([f"g{row}", *map(str, values)]) for row, values in enumerate(cells)]
    path = tmp_path_factory.mktemp("cells") / "sums.gz"
    path.write_bytes(gzip.compress((end.join(lines) + end * last_newline).encode()))
    _, gene_ids, sums = read_gene_sums(path)
    assert gene_ids == [f"g{row}" for row in range(5)]
    assert np.array_equal(sums, cells)


ODD_CELLS = st.sampled_from(
    [*"0123456789", "", "-1", "1.5", " 1", "1\r", "9" * 18, "9" * 19, "123456789", "\t", "\n", "x"]
)


@given(st.lists(st.lists(ODD_CELLS, min_size=2, max_size=2), max_size=6), st.data())
def test_the_fast_way_through_a_block_finds_what_cell_by_cell_parsing_finds(rows, data):
    """Oracle: the same blocks parsed cell by cell."""
    lines = ["##annotation=M023", "gene_id\ta\tb", *("\t".join([f"g{index}", *row]) for index, row in enumerate(rows))]
    text = bytearray("\n".join(lines).encode())
    if rows and data.draw(st.booleans()):
        text[data.draw(st.integers(30, len(text) - 1))] = data.draw(st.sampled_from(b"0\t\n\r-a\x00"))

    def read(fast):
        with mock.patch.object(parsing, "plain_rows", plain_rows if fast else lambda *_: -1):
            handle = io.BytesIO(text)
            blocks = gene_sum_blocks(handle, read_header(handle), places=np.arange(2))
            return [([block.gene_id(row) for row in range(block.rows)], block.counts.tolist()) for block in blocks]

    def outcome(fast):
        try:
            return read(fast)
        except DamagedError as error:
            return str(error)

    assert outcome(fast=True) == outcome(fast=False)


def test_a_block_of_separators_alone_is_judged_and_not_written_over(tmp_path):
    for rest in (b"\n" * 5000, b"\t" * 5000, b"\t\t\n" * 3000):
        handle = io.BytesIO(b"##annotation=M023\ngene_id\ta\tb\n" + rest)
        header = read_header(handle)
        with pytest.raises(DamagedError, match=r"blank|values"):
            list(gene_sum_blocks(handle, header))


def test_a_table_can_be_read_by_column(tiny):
    path = tiny.folder / tiny.path("recount_seq_qc")
    table = read_metadata(path, ["%a", "external_id", "nowhere"])
    assert table.equals(read_metadata(path)[["external_id", "%a"]])

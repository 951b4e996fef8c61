"""Any table of a user reads as what it says or is refused, never as another table.

Oracle: the table that was written, by a writer of our own that follows RFC 4180 and R's write.table.
"""

import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from scarceseq.errors import InputError
from scarceseq.user_tables import read_columns, read_first_cells, read_lists_of_ids, read_user_table
from scarceseq.user_values import MISSING_WORDS

ODD = Path(__file__).parents[2] / "shared"
ENCODINGS = {
    "utf-8": b"",
    "utf-8-sig": b"",
    "utf-16-le": b"\xff\xfe",
    "utf-16-be": b"\xfe\xff",
    "utf-32-le": b"\xff\xfe\x00\x00",
    "windows-1252": b"",
}
BLANKS = st.sampled_from(["", "", "", " ", "\xa0", "  ", "\u202f", "\ufeff"])


def zipped(data):
    with io.BytesIO() as target:
        with zipfile.ZipFile(target, "w") as archive:
            archive.writestr("table.txt", data)
        return target.getvalue()


PACKERS = {"plain": bytes, "gzip": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zip": zipped}


@st.composite
def tables(draw):
    """A table of names, a note and counts: header, rows."""
    size = draw(st.integers(2, 6))
    note = st.text(st.sampled_from("ab \",;\t#é'|-1.5"), max_size=6).map(lambda text: text.strip(" \t"))
    samples = draw(st.sampled_from(["s{}", "ctrl {}", "x,{}", "a;{}", "{}", "Ünal {}", '"{}']))
    header = ["gene_id", "note", *(samples.format(place) for place in range(draw(st.integers(2, 4))))]
    rows = [[f"g{row}", draw(note), *(str(draw(st.integers(0, 3000))) for _ in header[2:])] for row in range(size)]
    return header, rows


@st.composite
def writings(draw):
    """How a table is written to bytes: everything that programs and people do differently."""
    return {
        "separator": draw(st.sampled_from("\t,; ")),
        "quoting": draw(st.sampled_from(["none", "needed", "all"])),
        "header": draw(st.sampled_from(["plain", "plain", "hash", "r", "directive", "remarks"])),
        "ends": draw(st.sampled_from(["\n", "\r\n", "\r"])),
        "last_end": draw(st.booleans()),
        "encoding": draw(st.sampled_from(sorted(ENCODINGS))),
        "packer": draw(st.sampled_from(sorted(PACKERS))),
        "blank_rows": draw(st.sampled_from(["none", "empty", "separators"])),
        "trailing": draw(st.booleans()),
        "blanks": draw(BLANKS),
    }


def in_quotes(cell, how, separator):
    needed = separator in cell or '"' in cell or (separator == " " and (cell == "" or " " in cell or "\t" in cell))
    if how == "none" or (how == "needed" and not needed):
        return cell
    return '"' + cell.replace('"', '""') + '"'


def write(header, rows, how):
    """Bytes of the table."""
    separator = how["separator"]
    quoted = [[in_quotes(cell, how["quoting"], separator) for cell in row] for row in [header, *rows]]
    if separator != " ":
        quoted = [[how["blanks"] + cell + how["blanks"] for cell in row] for row in quoted]
    if how["header"] == "r":
        quoted[0] = quoted[0][1:]
    lines = [separator.join(row) + separator * how["trailing"] for row in quoted]
    if how["header"] == "hash":
        lines[0] = "#" + lines[0]
    above = {"directive": [f"sep={separator}"], "remarks": ["# my table", "#", "# made, by me; today"]}
    lines = above.get(how["header"], []) + lines
    blank = {"none": [], "empty": ["", " "], "separators": [separator * (len(header) - 1)]}[how["blank_rows"]]
    lines = [*lines[:-1], *blank, lines[-1], *blank]
    text = how["ends"].join(lines) + how["ends"] * how["last_end"]
    mark = ENCODINGS[how["encoding"]]
    return PACKERS[how["packer"]](mark + text.encode(how["encoding"], errors="replace"))


def clean(cell):
    """A cell as it is read: blanks around it say nothing, and neither do quotes that enclose it."""
    return cell.strip("\ufeff\xa0\u202f \t")


def as_read(path, **options):
    """Header and rows as read, or None if the table is refused."""
    try:
        table = read_user_table(path, row_names=True, **options)
    except InputError:
        return None
    return table.header, [list(row) for row in zip(*(column.to_pylist() for column in table.cells), strict=True)]


QUICK = settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)


def same(read, header, rows, r_form=False):
    """Whether a reading is the table; a nameless first column is R's."""
    names = ["" if r_form else clean(header[0]), *map(clean, header[1:])]
    return read[0] in (names, [name for name in names]) and read[1] == [[clean(cell) for cell in row] for row in rows]


@QUICK
@given(tables(), writings())
def test_a_table_reads_as_itself_or_is_refused(tmp_path, table, how):
    header, rows = table
    assume("?" not in "".join(header) or how["encoding"] != "windows-1252")
    path = tmp_path / "table.csv"
    path.write_bytes(write(header, rows, how))
    read = as_read(path)
    if read is None or how["encoding"] == "windows-1252":
        return
    said = [[cell[1:-1].replace('""', '"') if whole(cell) else cell for cell in row] for row in rows]
    assert same(read, header, rows, how["header"] == "r") or same(read, header, said, how["header"] == "r")


def whole(cell):
    """Whether quotes enclose a cell as a whole, so that they are no text."""
    return len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in cell[1:-1].replace('""', "")


PLAIN = st.sampled_from(["s{}", "mouse {}", "KO_{}", "Ünal.{}"])


@QUICK
@given(
    st.integers(2, 5),
    st.lists(st.lists(st.integers(0, 10**6), min_size=5, max_size=5), min_size=1, max_size=6),
    PLAIN,
    writings(),
)
def test_a_table_without_pitfalls_is_read_whatever_its_form(tmp_path, size, values, samples, how):
    how = how | {"quoting": "needed", "trailing": False}
    assume(how["encoding"] != "windows-1252" and not (how["header"] == "r" and size < 3))
    header = ["gene_id", *(samples.format(place) for place in range(size))]
    rows = [[f"ENSMUSG{row:011d}", *map(str, line[:size])] for row, line in enumerate(values)]
    path = tmp_path / "table.txt"
    path.write_bytes(write(header, rows, how))
    read = as_read(path)
    assert read is not None
    assert same(read, header, rows, how["header"] == "r")


def damaged(lines, draw, separator):
    """Lines with one defect, and what it is."""
    kind = draw(st.sampled_from(["two names run together", "a cell lost", "a cell too many", "a quote", "no header"]))
    row = draw(st.integers(1, len(lines) - 1))
    cells = lines[row].split(separator)
    place = draw(st.integers(1, len(cells) - 1))
    if kind == "two names run together":
        names = lines[0].split(separator)
        place = min(max(place, 1), len(names) - 2)
        lines[0] = separator.join([*names[:place], names[place] + names[place + 1], *names[place + 2 :]])
    elif kind == "a cell lost":
        lines[row] = separator.join([*cells[:place], *cells[place + 1 :]])
    elif kind == "a cell too many":
        lines[row] = separator.join([*cells[:place], "7", *cells[place:]])
    elif kind == "a quote":
        cells[1] = '"' + cells[1]
        lines[row] = separator.join(cells)
    else:
        del lines[0]
    return kind


@QUICK
@given(
    st.data(), st.sampled_from("\t,;"), st.sampled_from(["gene_id", "Geneid", "", "ID", "name", "Gene Symbol", "#id"])
)
def test_a_damaged_table_is_refused_or_reads_as_it_was(tmp_path, data, separator, corner):
    size = data.draw(st.integers(3, 5))
    header = [corner, "note", *(f"s{place}" for place in range(size))]
    rows = [[f"ENSMUSG{row:011d}", "x", *(str(100 * row + k) for k in range(size))] for row in range(1, 5)]
    lines = [separator.join(row) for row in [header, *rows]]
    kind = damaged(lines, data.draw, separator)
    path = tmp_path / "table.tsv"
    path.write_text("\n".join(lines) + "\n")
    read = as_read(path)
    if kind == "a quote" and separator == "\t":
        assert read is not None
        assert [[cell.replace('"', "") for cell in row] for row in read[1]] == rows
    else:
        assert read is None, kind


@pytest.mark.parametrize("word", MISSING_WORDS)
def test_missing_words_are_missing_and_others_are_values(tmp_path, word):
    path = tmp_path / "labels.tsv"
    path.write_text(f"sample\tcondition\ns1\t{word}\ns2\tnone\ns3\tTRUE\n")
    assert read_columns(path, ["sample", "condition"])["condition"].tolist() == ["", "none", "TRUE"]


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("TRUE", "a truth value"),
        ("1,234", "thousands separators"),
        ("12,5", "decimal comma"),
        ("1 234", "thousands separators"),
        ("1.234.567", "thousands separators"),
        ("inf", "infinite"),
        ("5 %", "percentage"),
        ("#DIV/0!", "error of a spreadsheet"),
        ("0x10", "holds text"),
        ("1_000", "holds text"),
    ],
)
def test_what_only_looks_like_a_number_is_refused_by_name(tmp_path, cell, words):
    path = tmp_path / "counts.tsv"
    path.write_text(f"gene\ts1\ts2\nA\t1\t2\nB\t{cell}\t3\n")
    with pytest.raises(InputError, match=f"B, column s1: .*{words}|{words}.*B, column s1"):
        read_user_table(path, row_names=True).numbers([1, 2])


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
@QUICK
def test_numbers_keep_every_bit(tmp_path, values):
    path = tmp_path / "numbers.tsv"
    path.write_text("gene\ts1\n" + "".join(f"g{row}\t{value!r}\n" for row, value in enumerate(values)))
    assert read_user_table(path, row_names=True).numbers([1])[:, 0].tolist() == values


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "workbook of Excel"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"%PDF-1.7", "a PDF"),
        (b"gene\tname\nA\tM\xfcller\n", "not UTF-8.*0xfc.*iconv"),
        (b"\xff\xfeg\x00e\x00n", "cut short"),
        (gzip.compress(b"gene\ts1\nA\t1\n" * 99, mtime=0)[:-12], "cannot be read as a table"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"gene\ts1\nA\t1\x00\n", "zero byte"),
        (b"", "has no rows"),
        (b"gene\ts1\n", "has no rows"),
        (b"# only\n# remarks\n", "has no rows"),
        (b"Table S1\ngene\ts1\nA\t1\n", "title or remark"),
        (b"a,b;c\n1,2;3\n", "read by commas or semicolons"),
        (b"gene\ts1\nA\t1\n#B\t2\n", "row or a remark"),
    ],
)
def test_what_is_no_table_is_refused_with_what_to_do(tmp_path, data, words):
    path = tmp_path / "table.tsv"
    path.write_bytes(data)
    with pytest.raises(InputError, match=words):
        read_user_table(path)


@pytest.mark.parametrize("bad", ["g\t1", "g\t1\t2\t3", "#x\t1\t2", '"g\t1\t2"\t3'])
def test_a_line_far_down_is_held_to_the_header_too(tmp_path, bad):
    rows = [f"g{row}\t{row}\t{row}" for row in range(3000)]
    path = tmp_path / "counts.tsv"
    path.write_text("gene\ts1\ts2\n" + "\n".join([*rows[:2000], bad, *rows[2000:]]) + "\n")
    with pytest.raises(InputError, match=r"line 2002 has|'#x' may be a row or a remark"):
        read_user_table(path, row_names=True)
    path.write_text("gene\ts1\ts2\n" + "\n".join([*rows[:2000], "# remark", "", *rows[2000:]]) + "\n")
    assert read_user_table(path, row_names=True).numbers([1])[:, 0].tolist() == list(range(3000))


def test_commas_within_quotes_are_text_and_a_cell_ends_with_its_line(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text('sample,note\ns1,"a, ""b"""\ns2,\n')
    assert read_columns(path, ["sample", "note"])["note"].tolist() == ['a, "b"', ""]
    path.write_text('sample,note\ns1,"two\nlines"\ns2,x\n')
    with pytest.raises(InputError, match="line 2 opens a quote"):
        read_columns(path, ["sample"])


def test_lists_lose_blanks_remarks_and_quotes(tmp_path):
    path = tmp_path / "genes.txt"
    path.write_bytes('\ufeff# mine\r\n"A"\r\n\r\n B\xa0\tx\r\nC,1\r\n'.encode())
    assert read_first_cells(path) == ["A", "B", "C"]
    path.write_text("id\tgeo\nPRJNA1\tGSE1;GSE2\n")
    assert read_lists_of_ids(path) == [["id", "geo"], ["PRJNA1", "GSE1;GSE2"]]

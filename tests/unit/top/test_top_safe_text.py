"""Texts from strangers in tables and figures. Oracles: the csv module's reader, an XML parser, the texts themselves."""

import csv
import math
import re
from xml.etree import ElementTree

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scarceseq.files import read_table, write_table
from scarceseq.report import style
from scarceseq.safe_text import original_cell, safe_cell, without_control

FORMULAS = [
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    '=HYPERLINK("x")',
    "\t=1",
    "\r=1",
    "-",
    "+",
    "'=1",
    "''+x",
]
NUMBERS = ["-1.5", "+3", "-1e-05", "-inf", "1", "-.5"]


def starts_a_formula(text):
    """As spreadsheets decide: by the first character, numbers aside."""
    if text[:1] not in tuple("=+-@\t\r") or text in ("+", "-"):
        return False
    try:
        float(text)
    except ValueError:
        return True
    return "_" in text or not text.isascii() or text != text.strip()


@given(st.one_of(st.text(max_size=8), st.text(alphabet="'=+-@\t\r1e.naif_", max_size=8)))
def test_any_text_comes_back_and_never_starts_a_formula(text):
    written = safe_cell(text)
    assert not starts_a_formula(written)
    assert original_cell(written) == text


@given(st.floats(allow_nan=False))
def test_a_number_is_written_as_it_is(number):
    assert safe_cell(repr(number)) == repr(number)
    assert safe_cell(number) is number


@pytest.mark.parametrize("name", ["t.tsv", "t.tsv.gz"])
def test_a_table_comes_back_and_no_cell_or_name_of_its_file_starts_a_formula(name, tmp_path):
    texts = [*FORMULAS, *NUMBERS, "plain", None]
    frame = pd.DataFrame({"text": texts, "=name": range(len(texts)), "value": [-1.5] * len(texts)})
    frame["kind"] = pd.Categorical(["@a", *["b"] * (len(texts) - 1)])
    write_table(frame, tmp_path / name)
    found = read_table(tmp_path / name, dtype={"text": str})
    assert found["text"].where(found["text"].notna(), None).tolist() == texts
    assert found.columns.tolist() == frame.columns.tolist()
    assert found["value"].tolist() == frame["value"].tolist()
    assert found["kind"].tolist() == frame["kind"].tolist()
    if name == "t.tsv":
        with open(tmp_path / name, newline="") as handle:
            cells = [cell for row in csv.reader(handle, delimiter="\t") for cell in row]
        assert [cell for cell in cells if starts_a_formula(cell)] == []
        assert "-1.5" in cells


def test_a_table_that_holds_nothing_of_the_kind_is_written_as_before(tmp_path):
    frame = pd.DataFrame({"a": ["x", None, "it's"], "b": [1.0, math.nan, -2.0]})
    write_table(frame, tmp_path / "t.tsv")
    assert (tmp_path / "t.tsv").read_text() == frame.to_csv(sep="\t", index=False, na_rep="NA")


@given(st.text())
def test_text_without_control_characters_is_xml(text):
    clean = without_control(text)
    escaped = clean.replace("&", "&amp;").replace("<", "&lt;")
    ElementTree.fromstring(f"<a>{escaped}</a>".encode())
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", clean)


@pytest.mark.filterwarnings("ignore:Glyph")
def test_control_characters_of_a_name_do_not_reach_a_figure():
    drawn, axes = style.figure()
    points = axes[0, 0].scatter([1, 2], [1, 2])
    style.tell(points, "all\x1b[31m", ["a\x00b", "c\x08d"])
    axes[0, 0].set_title("sample\x07\x1b<script>")
    text = style.svg(drawn, "name")
    ElementTree.fromstring(text.encode())
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f]", text)
    assert "sample\N{REPLACEMENT CHARACTER}" in text

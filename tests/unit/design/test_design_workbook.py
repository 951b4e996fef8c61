"""Workbooks. Oracle: pandas reads them back."""

import zipfile

import numpy as np
import openpyxl
import pandas as pd
import pytest
from scarceseq.design.workbook import write_workbook
from scarceseq.files import read_table, write_table
from scarceseq.safe_text import original_table

RISKY = ["=1+2", "+cmd|' /C calc'!A0", "-1+1", "@SUM(A1)", "＝1", "'=1"]


@pytest.fixture
def tables():
    names = ["SEPT2", "MARCH1", "1E5", *RISKY]
    order = pd.DataFrame({"rank": range(1, 10), "gene": names, "cost": [1.5, np.nan, *np.arange(7) / 3]})
    order["required"] = order["rank"] < 3
    return {"order": order, "plate 1": pd.DataFrame({"row": ["A", "B"], "1": ["TP53", ""], "=2": ["x\x01y", None]})}


def test_pandas_reads_back_what_was_written(tmp_path, tables):
    write_workbook(tables, tmp_path / "a.xlsx")
    read = pd.read_excel(tmp_path / "a.xlsx", sheet_name=None, keep_default_na=False, na_values=[""])
    assert list(read) == list(tables)
    pd.testing.assert_frame_equal(original_table(read["order"]), tables["order"])
    write_table(tables["order"], tmp_path / "a.tsv")
    pd.testing.assert_frame_equal(original_table(read["order"]), read_table(tmp_path / "a.tsv"))
    assert read["plate 1"].columns.tolist() == ["row", "1", "'=2"]
    assert read["plate 1"]["'=2"].iloc[0] == "x\N{REPLACEMENT CHARACTER}y"


def test_no_cell_is_a_formula_and_names_are_texts(tmp_path, tables):
    write_workbook(tables, tmp_path / "a.xlsx")
    sheets = openpyxl.load_workbook(tmp_path / "a.xlsx")
    cells = [cell for sheet in sheets for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "inlineStr", "n", "b"}
    texts = [str(cell.value) for cell in cells if cell.data_type in ("s", "inlineStr")]
    assert not [text for text in texts if text[:1] in "=+-@\t\r＝"]
    genes = [row[1] for row in sheets["order"].iter_rows(min_row=2)]
    assert all(cell.data_type == "s" for cell in genes)
    assert [cell.value for cell in genes[:3]] == ["SEPT2", "MARCH1", "1E5"]


def test_equal_tables_are_equal_bytes_whenever_they_are_written(tmp_path, tables, monkeypatch):
    write_workbook(tables, tmp_path / "a.xlsx")
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    write_workbook(tables, tmp_path / "b.xlsx")
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}
        assert archive.read("docProps/core.xml").count(b"1980-01-01T00:00:00Z") == 2

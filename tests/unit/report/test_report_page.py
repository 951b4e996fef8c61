"""The page as a whole: every stage's section is there, the page stands alone, and its numbers are the tables'."""

import base64
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from report_labels import LABELS
from scarceseq.files import read_table, write_table
from scarceseq.report import page as pages
from scarceseq.report.blocks import Section, Table
from scarceseq.report.page import Head
from scarceseq.report.sections import build, head


def render(run, settings, folder):
    sections = build(run, LABELS, settings, folder / "run" / "benchmarks")
    top = head(settings, "abc123", "today")
    pages.write(top, sections, folder / "report.html", folder / "figures", folder / "tables")
    return (folder / "report.html").read_text()


class Structure(HTMLParser):
    """Identifiers, references, tags and visible text of a page; raises on a tag that is closed out of order."""

    VOID = ("meta", "br", "img", "link", "input", "hr")

    def __init__(self, text):
        super().__init__()
        self.ids, self.references, self.open, self.text, self.tags = [], [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        for key, value in attributes:
            if key == "id":
                self.ids.append(value)
            if key in ("href", "src", "xlink:href", "data", "action", "srcset"):
                self.references.append(value)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_every_stage_that_ran_has_a_section_and_a_link_to_it(rendered):
    structure = Structure((rendered / "report.html").read_text())
    stages = [
        "archive",
        "corpus",
        "pretrain",
        "guide",
        "fewshot",
        "network",
        "screen",
        "selection",
        "resources",
        "config",
    ]
    assert [key for key in stages if key not in structure.ids] == []
    assert [key for key in stages if f"#{key}" not in structure.references] == []


def test_the_page_needs_nothing_from_outside(rendered):
    text = (rendered / "report.html").read_text()
    structure = Structure(text)
    outside = [r for r in structure.references if not r.startswith(("#", "data:"))]
    assert outside == []
    assert not {"link", "iframe", "img"} & set(structure.tags)
    assert structure.tags.count("script") == 1
    assert re.findall(r"<script(.*?)>", text) == [""]
    assert re.findall(r"url\((?!#)[^)]*\)|@import|https?://", text) == []


def test_identifiers_are_unique_and_references_within_the_page_resolve(rendered):
    structure = Structure((rendered / "report.html").read_text())
    assert len(structure.ids) == len(set(structure.ids))
    assert {r[1:] for r in structure.references if r.startswith("#")} <= set(structure.ids)


def test_a_stage_that_did_not_run_leaves_no_section(settings, tmp_path, run):
    only = {name: run[name] for name in ("graphs", "graph_json")}
    structure = Structure(render(only, {"name": "small", "seed": 1}, tmp_path))
    assert "network" in structure.ids
    assert not {"archive", "corpus", "pretrain", "guide", "fewshot", "screen", "selection"} & set(structure.ids)


def test_figures_and_tables_on_the_page_are_those_in_the_folders(rendered):
    text = (rendered / "report.html").read_text()
    structure = Structure(text)
    figures = {path.stem for path in (rendered / "figures").iterdir()}
    tables = {path.stem for path in (rendered / "tables").iterdir()}
    assert len(figures) >= 10
    assert figures | tables <= set(structure.ids)
    drawings = re.findall(r'<div class="drawing" tabindex="0" role="region" aria-label="Drawing: [^"]+"><svg', text)
    assert len(drawings) == structure.tags.count("figure") == len(figures)
    downloads = [r.split("base64,")[1] for r in structure.references if r.startswith("data:text")]
    small = [path for path in (rendered / "tables").iterdir() if path.stat().st_size <= pages.LARGEST_DOWNLOAD]
    assert {base64.b64decode(text) for text in downloads} == {
        path.read_bytes() for path in small if len(read_table(path)) <= pages.ROWS_SHOWN
    }
    assert len(downloads) > 10


def test_two_renderings_are_equal_byte_for_byte(rendered, whole_run, settings, tmp_path):
    folder, named = whole_run
    sections = build(named, LABELS, settings, folder / "run" / "benchmarks")
    top = head(settings, "abc123", "today")
    pages.write(top, sections, tmp_path / "report.html", tmp_path / "figures", tmp_path / "tables")
    files = [path.relative_to(tmp_path) for path in sorted(tmp_path.rglob("*")) if path.is_file()]
    assert len(files) > 10
    assert [file for file in files if (rendered / file).read_bytes() != (tmp_path / file).read_bytes()] == []


def test_names_with_markup_or_foreign_letters_are_shown_as_text(run, settings, tmp_path):
    settings["name"] = "<script>alert('x')</script> Zürich"
    text = render(run, settings, tmp_path)
    assert "<script>alert" not in text
    assert text.count("<script") == 1
    shown = " ".join(Structure(text).text)
    assert settings["name"] in shown
    assert "liver <b>& (10)" in shown  # a label, in the legend of a figure
    assert "köln (10)" in shown


def test_a_dollar_sign_in_a_name_is_not_taken_for_mathematics(run, settings, tmp_path):
    evaluation = read_table(run["pretrain_evaluation"][0])
    evaluation["split_role"] = "a$x^2$b"
    write_table(evaluation, run["pretrain_evaluation"][0])
    assert "a$x^2$b" in " ".join(Structure(render(run, settings, tmp_path)).text)


def test_printed_numbers_round_those_of_the_table_and_the_tooltip_holds_them_whole(rendered):
    text = (rendered / "report.html").read_text()
    table = read_table(rendered / "tables" / "pretrain_errors.tsv")
    part = text[text.index('id="pretrain_errors"') :]
    part = part[: part.index("</table>")]
    cells = re.findall(r'title="([^"]+)">([^<]+)<', part)
    values = table[["masked_mse", "low", "high"]].to_numpy().ravel()
    assert [float(full) for full, _ in cells] == values[~np.isnan(values)].tolist()
    printed = [(float(full), float(shown.replace("−", "-"))) for full, shown in cells]
    assert all(shown == pytest.approx(full, rel=6e-3) for full, shown in printed)


def test_a_failure_while_writing_leaves_the_old_files_alone(run, settings, tmp_path, monkeypatch):
    only = {name: run[name] for name in ("graphs", "graph_json")}
    render(only, settings, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert {"figures", "tables"} <= {path.parent.name for path in before}
    monkeypatch.setattr(pages, "write_table", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        render(only, settings | {"name": "other"}, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_long_table_lies_beside_the_page_and_shows_its_first_rows(tmp_path):
    long = pd.DataFrame({"row": np.arange(pages.ROWS_SHOWN + 1)})
    sections = [Section("s", "S", [Table("long", long, "Long"), Table("short", long.iloc[:-1], "Short")])]
    pages.write(Head("n", 1, "", {}), sections, tmp_path / "report.html", tmp_path / "figures", tmp_path / "tables")
    text = (tmp_path / "report.html").read_text()
    parts = {name: text[text.index(f'id="{name}"') :].split("</div>\n</div>")[0] for name in ("long", "short")}
    parts = {name: part[: part.index("</p>\n</div>")] for name, part in parts.items()}
    assert parts["long"].count("<tr>") == pages.FIRST_ROWS + 1
    assert f"{pages.ROWS_SHOWN + 1 - pages.FIRST_ROWS} further rows" in parts["long"]
    assert "data:" not in parts["long"]
    assert parts["short"].count("<tr>") == pages.ROWS_SHOWN + 1
    assert "data:" in parts["short"]
    assert len(read_table(tmp_path / "tables/long.tsv")) == len(long)


def test_no_section_begins_with_a_long_paragraph_and_none_loses_a_word():
    sentence = "One two three four five six seven eight nine ten. "
    for count in (1, 6, 7, 20):
        text = (sentence * count).strip()
        lead, rest = pages.lead_and_rest(text)
        assert len(lead.split()) <= pages.LONGEST_PARAGRAPH
        assert f"{lead} {rest}".strip() == text
        assert bool(rest) == (count > 6)
    whole = "word " * 80 + "end."
    assert pages.lead_and_rest(whole) == (whole, "")


def test_pictures_on_the_page_are_smaller_and_say_the_same(rendered):
    """Oracle: the files, read as XML."""
    text = (rendered / "report.html").read_text()
    for path in (rendered / "figures").iterdir():
        own = path.read_text()
        part = text[text.index(f'<figure id="{path.stem}">') :]
        part = part[: part.index("</figure>")]
        assert len(part) < len(own)
        for tag in ("<text", "<use", "<title"):
            assert part.count(tag) == own.count(tag), (path.stem, tag)

"""The frame of a page, whatever sections it has: putting it together, writing it with its figures and tables."""

import base64
import contextlib
import datetime
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import jinja2
import yaml
from markupsafe import Markup

from scarceseq.files import atomic, write_table
from scarceseq.report import style, value_text
from scarceseq.report.blocks import Cards, Paragraph, Picture, Question, Section, Table
from scarceseq.report.card_picture import curve_svg, interval_svg, interval_text

TEMPLATE = Path(__file__).with_name("template.html.j2")
SCRIPT = Path(__file__).with_name("page.js")
# Rows of a table that is put into the page; of a longer one the first few are, and all lie beside the page.
ROWS_SHOWN, FIRST_ROWS = 200, 20
# Bytes of the largest table that can be saved from the page itself.
LARGEST_DOWNLOAD = 10_000
LONGEST_PARAGRAPH = 60
"""Words; of a longer paragraph the first sentences are shown and the rest is folded."""


@dataclass(frozen=True)
class Head:
    """What a page says of the run.

    `summary`: what the config asked for, in a sentence; `more`: further sentences, which stand beside the settings.
    `settings`: the config, or as much of it as the page is about; printed at its end. `commit`: of the code. `date`:
    now, if left out.
    """

    name: str
    seed: int | None
    summary: str
    settings: Mapping[str, Any]
    commit: str | None = None
    date: str | None = None
    more: str = ""


def write(head: Head, sections: Sequence[Section], page: str | Path, figures: str | Path, tables: str | Path) -> None:
    """Write the page and the folders `figures` and `tables`; each appears only when complete, the page last.

    What the folders held before is replaced.
    """
    blocks = [block for section in sections for block in section.blocks]
    drawings = {block.name: style.svg(block.figure, block.name) for block in blocks if block.kind == "picture"}
    with atomic(page) as html, whole_folder(figures) as drawn, whole_folder(tables) as written:
        for name, text in drawings.items():
            (drawn / f"{name}.svg").write_text(text, encoding="utf-8")
        for block in blocks:
            if block.kind == "table":
                write_table(block.frame, written / f"{block.name}.tsv", sealed=False)
        html.write_text(render(head, sections, drawings, written), encoding="utf-8")


def render(head: Head, sections: Sequence[Section], drawings: Mapping[str, str], tables: Path) -> str:
    """HTML of the page; `drawings` has the SVG of each figure by name, the folder `tables` the written tables."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    script = SCRIPT.read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    return template.render(
        name=head.name,
        seed=head.seed,
        summary=head.summary,
        date=head.date or now,
        commit=head.commit,
        more=head.more,
        drawings=drawings,
        sections=[
            {"key": s.key, "title": s.title, "blocks": [_prepared(block, drawings, tables) for block in s.blocks]}
            for s in sections
        ],
        script=Markup(script),
        script_hash=f"sha256-{digest}",
        config=yaml.safe_dump(dict(head.settings), sort_keys=False, allow_unicode=True, width=100),
    )


def _prepared(block: Paragraph | Picture | Table | Cards, drawings: Mapping[str, str], tables: Path) -> dict[str, Any]:
    values: dict[str, Any] = {
        "kind": block.kind,
        **{key: value for key, value in vars(block).items() if isinstance(value, (str, bool))},
    }
    if block.kind == "paragraph":
        values["text"], values["rest"] = lead_and_rest(block.text)
    if block.kind == "cards":
        values["cards"] = [_card(question) for question in block.questions]
    if block.kind == "picture":
        values["drawing"] = Markup(style.inline(drawings[block.name], block.name, escape(block.title)))
    if block.kind == "table":
        shown = block.frame if block.shown is None else block.shown
        first = shown if len(shown) <= ROWS_SHOWN else shown.head(FIRST_ROWS)
        values |= value_text.grid(first)
        values["hidden_rows"] = len(shown) - len(first)
        values["total_rows"] = len(block.frame)
        values["download"] = ""
        content = (tables / f"{block.name}.tsv").read_bytes()
        if len(block.frame) <= ROWS_SHOWN and len(content) <= LARGEST_DOWNLOAD:
            coded = base64.b64encode(content).decode()
            values["download"] = f"data:text/tab-separated-values;charset=utf-8;base64,{coded}"
    return values


def lead_and_rest(text: str) -> tuple[str, str]:
    """The first sentences of a paragraph, as many as fit `LONGEST_PARAGRAPH` words, one at least, and the rest."""
    if len(text.split()) <= LONGEST_PARAGRAPH:
        return text, ""
    sentences = re.split(r"(?<=[.;:]) (?=[A-Z])", text)
    kept = 1
    while len(" ".join(sentences[: kept + 1]).split()) <= LONGEST_PARAGRAPH:
        kept += 1
    return " ".join(sentences[:kept]), " ".join(sentences[kept:])


def _card(question: Question) -> dict[str, Any]:
    card = question.card
    drawing = interval_svg(card)
    if question.curves:
        drawing = curve_svg(question.curves, f"{card.question} {card.basis}")
    return {
        "question": card.question,
        "sentences": card.sentences,
        "mark": card.mark,
        "drawing": Markup(drawing),
        "basis": " · ".join(text for text in (interval_text(card), card.basis) if text),
        "section": question.section,
    }


@contextlib.contextmanager
def whole_folder(path: str | Path) -> Iterator[Path]:
    """Yield a temporary folder that takes the place of `path` when the block ends without error."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp"))
    try:
        yield temporary
        os.chmod(temporary, 0o755)
        shutil.rmtree(path, ignore_errors=True)
        os.replace(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)

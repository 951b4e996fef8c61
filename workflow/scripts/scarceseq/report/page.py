"""Putting the page together and writing it with its figures and tables."""

import base64
import contextlib
import datetime
import hashlib
import os
import shutil
import tempfile
from html import escape
from pathlib import Path

import jinja2
import yaml
from markupsafe import Markup

from scarceseq.files import atomic, write_table
from scarceseq.report import (
    archive,
    cells,
    corpus,
    design,
    fewshot,
    guide,
    network,
    overview,
    own_study,
    perturbation,
    pretrain,
    resources,
    screen,
    selection,
    style,
)
from scarceseq.report.inputs import Inputs

TEMPLATE = Path(__file__).with_name("template.html.j2")
SCRIPT = Path(__file__).with_name("page.js")
ROWS_SHOWN = 200


def build(named, settings, benchmarks):
    """Sections of the page, in the order of the stages; stages that did not run are left out.

    Parameters
    ----------
    named : dict of str to (str or list of str)
        Input files by name.
    settings : dict
        The whole config.
    benchmarks : path
        Folder of Snakemake's benchmark files.

    Returns
    -------
    list of Section
    """
    inputs = Inputs(named)
    sections = [
        archive.section(inputs),
        corpus.section(inputs, settings),
        pretrain.section(inputs),
        guide.section(inputs),
        fewshot.section(inputs, settings),
        own_study.section(inputs),
        network.section(inputs),
        screen.section(inputs),
        perturbation.section(inputs, settings),
        selection.section(inputs),
        design.section(inputs),
        resources.section(benchmarks),
    ]
    return [section for section in sections if section is not None]


def write(sections, settings, page, figures, tables, commit=None, date=None):
    """Write the page, its figures and its tables; each appears only when complete, the page last.

    Parameters
    ----------
    sections : list of Section
    settings : dict
        The whole config.
    page : path
        HTML file.
    figures, tables : path
        Folders; what they held before is replaced.
    commit : str, optional
    date : str, optional
        Now, if left out.
    """
    blocks = [block for section in sections for block in section.blocks]
    drawings = {block.name: style.svg(block.figure, block.name) for block in blocks if block.kind == "picture"}
    with atomic(page) as html, whole_folder(figures) as drawn, whole_folder(tables) as written:
        for name, text in drawings.items():
            (drawn / f"{name}.svg").write_text(text, encoding="utf-8")
        for block in blocks:
            if block.kind == "table":
                write_table(block.frame, written / f"{block.name}.tsv")
        html.write_text(render(sections, settings, drawings, written, commit, date), encoding="utf-8")


def render(sections, settings, drawings, tables, commit=None, date=None):
    """HTML of the page.

    Parameters
    ----------
    sections : list of Section
    settings : dict
    drawings : dict of str to str
        SVG of each figure by name.
    tables : Path
        Folder that holds the written tables.
    commit, date : str, optional

    Returns
    -------
    str
    """
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    script = SCRIPT.read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    return template.render(
        name=settings["name"],
        seed=settings.get("seed"),
        summary=overview.describe(settings),
        date=date or now,
        commit=commit,
        facts=[fact for section in sections for fact in section.facts],
        drawings=drawings,
        findings=[text for section in sections for text in section.findings],
        sections=[
            {"key": s.key, "title": s.title, "blocks": [_prepared(block, drawings, tables) for block in s.blocks]}
            for s in sections
        ],
        script=Markup(script),
        script_hash=f"sha256-{digest}",
        config=yaml.safe_dump(settings, sort_keys=False, allow_unicode=True, width=100),
    )


def _prepared(block, drawings, tables):
    values = {
        "kind": block.kind,
        **{key: value for key, value in vars(block).items() if isinstance(value, (str, bool))},
    }
    if block.kind == "picture":
        values["drawing"] = Markup(style.inline(drawings[block.name], block.name, escape(block.title)))
    if block.kind == "table":
        shown = block.frame if block.shown is None else block.shown
        content = base64.b64encode((tables / f"{block.name}.tsv").read_bytes()).decode()
        values |= cells.grid(shown.head(ROWS_SHOWN))
        values["hidden_rows"] = max(0, len(shown) - ROWS_SHOWN)
        values["total_rows"] = len(block.frame)
        values["download"] = f"data:text/tab-separated-values;charset=utf-8;base64,{content}"
    return values


@contextlib.contextmanager
def whole_folder(path):
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

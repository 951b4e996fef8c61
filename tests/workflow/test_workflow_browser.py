"""The report in a browser without a screen: no error, every figure shown, tables that filter and sort, any width."""

import html
import json
import re
import shutil
import subprocess

import pytest
from helpers import snakemake
from test_workflow_kills import TINY

# Runs inside a copy of the page, in a frame as wide as a phone or a desk; what it finds is left in the outer page.
PROBE = """
<script>
const MOST_POINTED = 30; // of one figure
window.addEventListener("error", (event) => (window.failed = String(event.message)));
window.addEventListener("load", () => {
  document.querySelectorAll("details").forEach((each) => (each.open = true));
  const box = [...document.querySelectorAll(".tablebox")].find((each) => each.querySelector(".filter"));
  const rows = () => [...box.querySelectorAll("tbody tr")].filter((row) => !row.hidden);
  const field = box.querySelector(".filter input"), before = rows().length;
  const word = rows()[0].cells[0].textContent.trim();
  field.value = word;
  field.dispatchEvent(new Event("input"));
  const kept = rows(), right = kept.every((row) => row.textContent.toLowerCase().includes(word.toLowerCase()));
  field.value = "";
  field.dispatchEvent(new Event("input"));
  const number = [...box.querySelectorAll("th")].findIndex((head) => head.classList.contains("num"));
  const value = (row) => Number((row.cells[number].title || row.cells[number].textContent).replaceAll(",", ""));
  box.querySelectorAll("th button")[number].click();
  const rising = rows().map(value);
  box.querySelectorAll("th button")[number].click();
  const falling = rows().map(value);
  // what the browser would show for the element under the pointer: the nearest title from there outwards
  const titleAt = (x, y) => {
    let element = document.elementFromPoint(x, y), title = null;
    for (; element && !title; element = element.parentElement) title = element.querySelector(":scope > title");
    return title;
  };
  let pointed = 0, own = 0;
  const silent = [];
  for (const figure of document.querySelectorAll("figure")) {
    const marks = [...figure.querySelectorAll("svg use")].filter((use) => use.closest(":has(> title)"));
    for (const mark of marks.slice(0, MOST_POINTED)) {
      mark.scrollIntoView({ behavior: "instant", block: "center", inline: "center" });
      const box = mark.getBoundingClientRect();
      const title = titleAt(box.x + box.width / 2, box.y + box.height / 2);
      pointed += 1;
      own += title === mark.closest(":has(> title)").querySelector(":scope > title");
      if (!title) silent.push(figure.id + ": " + mark.closest(":has(> title)").textContent.trim());
    }
  }
  const label = document.querySelector("figure svg [tabindex]"), hint = document.getElementById("hint");
  label.dispatchEvent(new Event("focus"));
  const said = hint.hidden ? "" : hint.textContent;
  label.dispatchEvent(new Event("blur"));
  const links = [...document.querySelectorAll('a[href^="#"]')];
  const drawings = [...document.querySelectorAll("figure svg")].map((each) => each.getBoundingClientRect());
  parent.postMessage({
    failed: window.failed || "", said, named: label.getAttribute("aria-label"), gone: hint.hidden,
    figures: document.querySelectorAll("figure").length,
    drawn: drawings.filter((each) => each.width > 100 && each.height > 50).length,
    broken: links.filter((link) => !document.getElementById(link.hash.slice(1))).length,
    wider: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    before, kept: kept.length, right, after: rows().length, rising, falling,
    width: document.documentElement.clientWidth, pointed, own, silent,
  }, "*");
});
</script>
"""
OUTER = """<!DOCTYPE html><body><iframe style="width:{width}px;height:900px;border:0" srcdoc="{page}"></iframe>
<pre id="found"></pre><script>
addEventListener("message", (event) => (document.getElementById("found").textContent = JSON.stringify(event.data)));
</script></body>"""


@pytest.fixture(scope="module")
def chromium():
    """The browser's command."""
    command = next(filter(shutil.which, ("chromium", "chromium-browser", "google-chrome")), None)
    if command is None:
        pytest.skip("needs chromium")
    return command


def look(chromium, page):
    """(document after its scripts have run, what the browser complained of)."""
    flags = "--headless --no-sandbox --disable-gpu --disable-background-networking --enable-logging=stderr --dump-dom"
    command = [chromium, *flags.split(), "--virtual-time-budget=5000", "--window-size=1400,1000", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=True)
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def test_the_page_as_it_is_has_nothing_to_complain_of(chromium, finished_run):
    document, complaints = look(chromium, finished_run / "results/tiny/report.html")
    assert complaints == []
    assert 'type="search"' in document, "the page's own script runs under the page's own policy"


@pytest.mark.parametrize("width", [390, 1200])
def test_figures_marks_links_tables_and_width(width, chromium, finished_run, tmp_path):
    text = (finished_run / "results/tiny/report.html").read_text()
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text, count=1)
    page = html.escape(text.replace("</body>", PROBE + "</body>"), quote=True)
    (tmp_path / "outer.html").write_text(OUTER.format(width=width, page=page))
    document, complaints = look(chromium, tmp_path / "outer.html")
    assert complaints == []
    found = json.loads(html.unescape(re.search(r'<pre id="found">(.*?)</pre>', document, re.DOTALL)[1]))
    assert found["failed"] == ""
    assert found["width"] <= width
    assert found["figures"] == found["drawn"] > 10
    assert found["broken"] == 0
    assert found["silent"] == [], "a mark that says nothing when it is pointed at"
    assert 0.5 * found["pointed"] < found["own"], "marks may lie over others, but not most"
    assert found["pointed"] > 100
    assert found["wider"] <= 0, "the page scrolls sideways"
    assert len(found["said"].split()) > 3, "a label under the keyboard's focus says what it is"
    assert found["said"] in found["named"]
    assert found["gone"]
    assert 0 < found["kept"] < found["before"] == found["after"]
    assert found["right"]
    rising = [value for value in found["rising"] if value is not None]
    assert rising == sorted(rising)
    assert [value for value in found["falling"] if value is not None] == rising[::-1]
    assert len(set(rising)) > 1


def test_the_page_can_be_printed(chromium, finished_run, tmp_path):
    flags = "--headless --no-sandbox --disable-gpu --disable-background-networking --no-pdf-header-footer"
    target, page = tmp_path / "report.pdf", finished_run / "results/tiny/report.html"
    command = [chromium, *flags.split(), f"--print-to-pdf={target}", page.as_uri()]
    subprocess.run(command, capture_output=True, timeout=180, check=True)
    content = target.read_bytes()
    assert content.startswith(b"%PDF")
    assert len(content) > 100_000


def test_the_report_that_snakemake_makes_itself_has_every_figure_under_its_category(finished_run, tmp_path):
    snakemake(finished_run, *TINY, "--report", str(tmp_path / "report.html"))
    text = (tmp_path / "report.html").read_text()
    figures = [path.name for path in (finished_run / "results/tiny/figures").glob("*.svg")]
    assert len(figures) > 10
    assert [name for name in figures if name not in text] == []
    assert '"Figures"' in text
    assert "how many observations it rests on" in text, "the caption"

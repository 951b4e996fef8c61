"""What an accessibility checker finds on pages of a report, in a browser without a window.

``npm install axe-core``, then ``python benchmarks/tools/accessibility.py node_modules/axe-core/axe.min.js PAGE ...``.
Needs Chromium. Everything folded is opened first. Prints the violations of each page; ends with status 1 if one of them
is serious or critical.
"""

import argparse
import html
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", "--virtual-time-budget=60000")
GRAVE = ("serious", "critical")
RUN = """<script>window.addEventListener("load", () => {
document.querySelectorAll("details").forEach(one => { one.open = true; });
axe.run().then(answer => { const text = document.createElement("pre"); text.id = "violations";
text.textContent = JSON.stringify(answer.violations.map(one => [one.impact, one.id, one.nodes.length, one.help]));
document.body.append(text); }); });</script>"""


def violations(page: str, checker: str, browser: str, width: int) -> list[tuple[str, str, int, str]]:
    """Impact, rule, number of places and words of each violation on a page."""
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)  # it forbids foreign scripts
    page = page.replace("</body>", f"<script>{checker}</script>{RUN}</body>")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.html"
        path.write_text(page)
        command = [browser, *OPTIONS, f"--window-size={width},1000", path.as_uri()]
        dumped = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    answer = re.search(r'<pre id="violations">(.*?)</pre>', dumped, re.DOTALL)
    if answer is None:
        sys.exit("the checker gave no answer")
    return [tuple(one) for one in json.loads(html.unescape(answer[1]))]


def main() -> int:
    """Check the pages at the width of a telephone and of a screen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checker", type=Path)
    parser.add_argument("pages", type=Path, nargs="+")
    options = parser.parse_args()
    browser = next((name for name in BROWSERS if shutil.which(name)), None)
    if browser is None:
        sys.exit(f"none of {', '.join(BROWSERS)} is installed")
    grave = 0
    for page in options.pages:
        for width in (390, 1200):
            found = violations(page.read_text(), options.checker.read_text(), browser, width)
            grave += sum(impact in GRAVE for impact, *_ in found)
            print(f"{page} at {width}: {found or 'no violation'}")
    return 1 if grave else 0


if __name__ == "__main__":
    sys.exit(main())

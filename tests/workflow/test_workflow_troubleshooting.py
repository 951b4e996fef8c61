"""The documentation quotes messages that the code really gives."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
QUOTED = re.findall(r"^\| `([^`]*)`", (ROOT / "docs/troubleshooting.md").read_text(), re.MULTILINE)


@pytest.fixture(scope="module")
def sources():
    """All sources, texts that go on in the next line joined."""
    files = [ROOT / "Snakefile", *(ROOT / "rules").glob("*.smk"), *(ROOT / "workflow/scripts").rglob("*.py")]
    return re.sub(r'"\s*\n\s*f?"', "", "\n".join(path.read_text() for path in files))


@pytest.mark.parametrize("message", QUOTED)
def test_a_message_of_the_documentation_is_in_the_code(message, sources):
    assert message in sources


def test_messages_are_quoted():
    assert len(QUOTED) > 15

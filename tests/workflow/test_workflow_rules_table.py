"""The table of the archive's rules names tests; each must be there."""

import re

from helpers import REPOSITORY


def named_tests():
    """(file below tests/, function) of every test that the page names."""
    file = None
    for row in (REPOSITORY / "docs/recount3.md").read_text().splitlines():
        for word in re.findall(r"`([\w/]+\.py|test_\w+)`", row if row.startswith("|") else ""):
            if word.endswith(".py"):
                file = word
            else:
                yield file, word


def test_each_rule_of_the_archive_names_a_test_that_is_there():
    named = set(named_tests())
    assert len(named) > 30
    lacking = [
        (file, name)
        for file, name in sorted(named)
        if not re.search(rf"^def {name}\(", (REPOSITORY / "tests" / file).read_text(), re.MULTILINE)
    ]
    assert lacking == []


def test_no_rule_of_the_archive_is_without_a_test():
    tables = (REPOSITORY / "docs/recount3.md").read_text()
    rows = [row for row in tables.splitlines() if row.startswith("| ") and not row.startswith(("| rule", "|---"))]
    assert len(rows) > 20
    assert [row for row in rows if "`test_" not in row] == []

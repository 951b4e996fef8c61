"""The report says how many samples were there twice. Oracle: the table of dropped runs."""

import pandas as pd
from scarceseq.report.corpus import copies_sentence, reason_table


def test_the_count_of_copies_is_shown_also_when_it_is_none():
    reasons = ["near_copy", "near_copy", "duplicate_content", "run_cap"]
    dropped = pd.DataFrame({"study": "S", "run": list("abcd"), "reason": reasons, "value": None})
    assert "1 run of equal counts and 2 runs of the same reads" in copies_sentence(reason_table(dropped))
    assert "0 runs of equal counts and 0 runs of the same reads" in copies_sentence(reason_table(dropped[3:]))

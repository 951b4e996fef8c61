"""Pairs of studies in arrays, against the same in plain lists and dictionaries."""

from collections import Counter
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from scarceseq.fewshot.settings import Cell
from scarceseq.fewshot.sources import Sources


@pytest.fixture
def table():
    generator = np.random.default_rng(1)
    rows = [
        (f"S{study:02d}.{n}", f"S{study:02d}", str(generator.choice(list("abcd"))))
        for study in range(15)
        for n in range(generator.integers(1, 8))
    ]
    return pd.DataFrame(rows, columns=["sample", "study", "label"])


def listed(table, protocol, cell):
    """Oracle: (support, query, classes) by sets, in alphabetical order."""
    counts = {study: Counter(part["label"]) for study, part in table.groupby("study")}

    def able(study, least):
        return {label for label, count in counts[study].items() if count >= least}

    if protocol == "within_study":
        pairs = [(study, study, able(study, cell.shot + 1)) for study in sorted(counts)]
    else:
        pairs = [(one, two, able(one, cell.shot) & able(two, 1)) for one, two in permutations(sorted(counts), 2)]
    return [(one, two, tuple(sorted(both))) for one, two, both in pairs if len(both) >= cell.fewest]


@pytest.mark.parametrize("protocol", ["cross_study", "within_study", "leave_one_study_out"])
@pytest.mark.parametrize("cell", [Cell("t", 2, 1), Cell("t", 3, 2), Cell("t", "all", 1)])
def test_sources_are_all_that_can_fill_the_cell_in_order(table, protocol, cell):
    found = Sources(table, protocol, cell)
    assert [tuple(found.at(place)) for place in range(len(found))] == listed(table, protocol, cell)


def test_the_least_used_is_drawn_and_ties_by_the_same_number(table):
    cell = Cell("t", 2, 1)
    found, open_sources, used = Sources(table, "cross_study", cell), listed(table, "cross_study", cell), Counter()
    generators = [np.random.default_rng(7) for _ in range(2)]
    for number in range(3 * len(open_sources)):

        def load(source):
            return used["query", source[1]], used[source], used["support", source[0]]

        least = min(map(load, open_sources))
        tied = [source for source in open_sources if load(source) == least]
        expected = tied[generators[0].integers(len(tied))]
        place = found.draw(generators[1])
        assert tuple(found.at(place)) == expected
        if number % 5 == 4:
            open_sources.remove(expected)
            found.open[place] = False
        else:
            used.update([("query", expected[1]), ("support", expected[0]), expected])
            found.use(place)
        if not open_sources:
            break

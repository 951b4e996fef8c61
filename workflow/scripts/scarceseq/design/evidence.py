"""What choices were worth on real screens: V-optimal beside what its own model promised, and hits round by round."""

from pathlib import Path

import pandas as pd

from scarceseq.files import read_table

EVIDENCE = Path(__file__).with_name("evidence.tsv")
HITS = Path(__file__).with_name("hits_evidence.tsv")
LEAST_SCREENS = 3
"""Real screens below which nothing is said of what a choice is worth."""


def read_evidence() -> pd.DataFrame:
    """One row per real screen, written by `benchmarks/tools/two_by_two.py`.

    Returns columns screen, graphs, splits, predicted and realised (points of the mean effect's error that V-optimal
    choice saves against random choice of as many), low and high (95% interval of realised over splits).
    """
    return read_table(EVIDENCE)


def read_hits_evidence() -> pd.DataFrame:
    """One row per real screen, response and way of choosing, written by `benchmarks/tools/hits.py`.

    Returns columns screen, response, measured, pool, method, hit_ratio (share of the hits that were measured in the
    end), against_random with its 95% interval over starts, and others.
    """
    return read_table(HITS)

"""Sums of a study's runs. Oracle: a file of three runs and three genes, added up by hand."""

import gzip

import numpy as np
import pandas as pd
import pytest
from scarceseq.corpus.run_sums import RunSums

TEXT = b"##annotation=M023\n##date\ngene_id\tSRR1\tSRR2\tSRR3\ng1\t1\t2\t3\ng2\t4\t5\t6\ng3\t7\t8\t0\n"


@pytest.mark.parametrize("held", [1 << 20, 0], ids=["held in memory", "read twice"])
def test_a_studys_sums_are_the_same_held_in_memory_or_read_twice(tmp_path, monkeypatch, held):
    monkeypatch.setattr("scarceseq.corpus.run_sums.HELD_BYTES", held)
    path = tmp_path / "sums.gz"
    path.write_bytes(gzip.compress(TEXT))
    sums = RunSums(path, 3)
    totals, zeros = sums.statistics(["SRR3", "SRR1"], np.array([True, False, True]))
    assert totals.tolist() == [9, 12]
    assert zeros.tolist() == [0.5, 0]
    samples = pd.Series({"SRR3": "X1", "SRR1": "X2"})
    assert sums.of_samples(samples, ["X2", "X1"]).tolist() == [[1, 4, 7], [3, 6, 0]]
    assert sums.of_samples(samples.replace("X2", "X1"), ["X1"]).tolist() == [[4, 10, 7]]

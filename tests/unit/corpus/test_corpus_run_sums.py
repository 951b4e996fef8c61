"""Sums of a study's runs. Oracle: a file of three runs and three genes, added up by hand."""

import gzip

import numpy as np
import pandas as pd
import pytest
from scarceseq.corpus.run_sums import RunSums

TEXT = b"##annotation=M023\n##date\ngene_id\tSRR1\tSRR2\tSRR3\ng1\t1\t2\t3\ng2\t4\t5\t6\ng3\t7\t8\t0\n"


def joined(pieces):
    return np.concatenate(list(pieces)).tolist()


@pytest.mark.parametrize("held", [1 << 20, 2 * 3 * 8, 0], ids=["held in memory", "two at a time", "one at a time"])
def test_a_studys_sums_are_the_same_held_in_memory_or_read_twice(tmp_path, monkeypatch, held):
    monkeypatch.setattr("scarceseq.corpus.run_sums.HELD_BYTES", held)
    path = tmp_path / "sums.gz"
    path.write_bytes(gzip.compress(TEXT))
    sums = RunSums(path, 3)
    totals, zeros = sums.statistics(["SRR3", "SRR1"], np.array([True, False, True]))
    assert totals.tolist() == [9, 12]
    assert zeros.tolist() == [0.5, 0]
    samples = pd.Series({"SRR3": "X1", "SRR1": "X2"})
    assert joined(sums.of_samples(samples, ["X2", "X1"])) == [[1, 4, 7], [3, 6, 0]]
    assert joined(sums.of_samples(samples.replace("X2", "X1"), ["X1"])) == [[4, 10, 7]]


@pytest.mark.parametrize("size", [0, 7 * 8 * 40, 20 * 8 * 40, 25 * 4 * 40, 1 << 20])
@pytest.mark.parametrize("largest", [2**31, 2**32, 2**33, 2**60], ids=str)
def test_samples_beyond_what_is_held_are_the_same_in_pieces(tmp_path, monkeypatch, size, largest):
    """Oracle: numpy's sum over the drawn matrix."""
    monkeypatch.setattr("scarceseq.corpus.run_sums.HELD_BYTES", size)
    monkeypatch.setattr("scarceseq.corpus.run_sums.PIECE_BYTES", 3 * 8 * 40)
    drawn = np.random.default_rng(4).integers(0, largest, (40, 25))
    drawn[3, 7] = largest - 1
    runs = [f"r{index}" for index in range(25)]
    rows = ["\t".join([f"g{row}", *map(str, values)]) for row, values in enumerate(drawn)]
    path = tmp_path / "sums.gz"
    path.write_bytes(gzip.compress("\n".join(["##annotation=M023", "\t".join(["gene_id", *runs]), *rows]).encode()))
    sums = RunSums(path, 40)
    kept = pd.Series({run: f"X{index % 13}" for index, run in enumerate(runs) if index != 4})
    order = sorted(kept.unique())
    expected = [drawn[:, [runs.index(run) for run in kept.index[kept == name]]].sum(axis=1).tolist() for name in order]
    totals, _ = sums.statistics(runs, np.ones(40, dtype=bool))
    assert totals == pytest.approx(drawn.sum(axis=0, dtype=np.float64), rel=1e-12)
    assert joined(sums.of_samples(kept, order)) == expected

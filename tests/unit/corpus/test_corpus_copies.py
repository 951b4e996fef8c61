"""The same reads under two names. Oracles: draws from one library, closed forms of thinning, brute force over pairs."""

import numpy as np
import pandas as pd
import pytest
from scarceseq.archive.counts import SAMPLE_COLUMNS, write_counts
from scarceseq.corpus import copies, merge

GENES = 4000
IDS = [f"ENSMUSG{number:011d}.3" for number in range(GENES)]
LENGTH = np.full(GENES, 1000.0)


@pytest.fixture(scope="module")
def library():
    """Expected reads of an animal's genes."""
    return np.random.default_rng(1).lognormal(4, 1.5, GENES)


@pytest.fixture(scope="module")
def animals(library):
    """Reads of twelve animals of one tissue: 15 % between them, and Poisson noise."""
    generator = np.random.default_rng(2)
    return generator.poisson(library * np.exp(generator.normal(0, 0.15, (12, GENES)))).astype(float)


def thinned(reads, share):
    return np.random.default_rng(3).binomial(reads.astype(int), share).astype(float)


def with_one_changed(reads):
    changed = reads.copy()
    changed[7] += reads.sum()
    return changed


COPIES = {
    "scaled": lambda reads: 3 * reads,
    "given as coverage": lambda reads: 101 * reads,
    "scaled down and rounded": lambda reads: np.round(0.37 * reads),
    "of a million": lambda reads: np.round(reads / reads.sum() * 1e6),
    "half of the reads": lambda reads: thinned(reads, 0.5),
    "nine tenths of the reads": lambda reads: thinned(reads, 0.9),
    "a fifth of the reads": lambda reads: thinned(reads, 0.2),
    "one count changed": with_one_changed,
    "counted another way, 10 % a gene": lambda reads: np.round(
        reads * np.exp(np.random.default_rng(5).normal(0, 0.1, GENES))
    ),
}


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)
def test_a_copy_is_a_candidate_and_its_counts_settle_it(copy, animals):
    rows = np.vstack([animals, copy(animals[3])[None]])
    sketches = copies.sketch(rows, LENGTH, np.ones(len(rows)), copies.signs(IDS))
    assert (3, 12) in copies.candidate_pairs(sketches)
    assert copies.near_copies(sketches, np.array(["a"] * 12 + ["b"]), lambda row: rows[row]) == {12: 3}


def test_different_animals_are_never_copies(animals):
    indices = [copies.poisson_index(animals[i], animals[j]) for i in range(12) for j in range(i)]
    assert min(index for index, _ in indices) > 1.5
    assert not any(copies.is_copy(*pair) for pair in indices)


def test_lanes_of_one_library_have_an_index_of_one_and_are_no_copies(library):
    """Oracle: independent Poisson draws of one library."""
    generator = np.random.default_rng(4)
    pairs = [
        copies.poisson_index(generator.poisson(library * depth).astype(float), generator.poisson(library).astype(float))
        for depth in (0.2, 1.0, 1.0, 1.0, 5.0)
        for _ in range(20)
    ]
    assert abs(np.mean([index for index, _ in pairs]) - 1) < 0.03
    assert not any(copies.is_copy(*pair) for pair in pairs)


@pytest.mark.parametrize("share", [0.9, 0.5, 0.2])
def test_the_index_of_thinned_reads_is_the_closed_form(share, library):
    """Given s = x + y and y of x thinned by q, the variance of x is (1 - q) / (1 + q) of the binomial one."""
    reads = np.random.default_rng(6).poisson(library).astype(float)
    index, _ = copies.poisson_index(reads, thinned(reads, share))
    assert index == pytest.approx((1 - share) / (1 + share), rel=0.12)


def test_samples_that_were_scaled_down_are_no_copies_although_they_differ_by_less_than_noise(library):
    generator = np.random.default_rng(7)
    rows = generator.poisson(library * 20 * np.exp(generator.normal(0, 0.02, (6, GENES)))) / 20.0
    index, genes = copies.poisson_index(rows[0], rows[1])
    assert copies.is_copy(index, genes)
    pairs = [(i, j) for j in range(6) for i in range(j)]
    assert copies.settle(pairs, np.array(["a"] * 3 + ["b"] * 3), lambda row: rows[row]) == []
    rows = np.vstack([rows, 3 * rows[:1]])
    studies = np.array(["a"] * 3 + ["b"] * 3 + ["c"])
    found = copies.settle([*pairs, (0, 6)], studies, lambda row: rows[row])
    assert [pair[:2] for pair in found] == [(0, 6)]


def test_candidates_are_those_of_brute_force(animals):
    rows = np.vstack([animals, *(copy(animals[5])[None] for copy in COPIES.values())])
    sketches = copies.sketch(rows, LENGTH, np.ones(len(rows)), copies.signs(IDS))
    values, noise = sketches[:, :-1].astype(float), sketches[:, -1].astype(float) + copies.SLACK / 3
    apart = ((values[:, None] - values[None]) ** 2).sum(axis=-1)
    close = np.argwhere(np.triu(apart <= 0.9 * (noise[:, None] + noise[None]), 1))
    far = np.argwhere(np.triu(apart > 1.6 * (noise[:, None] + noise[None]), 1))
    found = set(copies.candidate_pairs(sketches))
    assert {tuple(pair) for pair in close} <= found
    assert not found & {tuple(pair) for pair in far}


def test_a_sketch_keeps_squared_distances_on_average(animals):
    """Oracle: the distance of the whole profiles (Johnson and Lindenstrauss)."""
    sketches = copies.sketch(animals, LENGTH, np.ones(12), copies.signs(IDS))[:, :-1]
    ratios = []
    for one in range(12):
        for other in range(one):
            rates = animals[[one, other]]
            left = np.sort(rates, axis=1)[:, :-20].sum(axis=1, keepdims=True)
            profile = np.log2(np.minimum(rates / left * 1e6, 1000) + 10)
            profile -= profile.mean(axis=1, keepdims=True)
            ratios.append(((sketches[one] - sketches[other]) ** 2).sum() / ((profile[0] - profile[1]) ** 2).sum())
    assert np.mean(ratios) == pytest.approx(1, abs=0.1)


def test_projections_belong_to_genes_whatever_their_order_or_version():
    one = copies.signs(IDS)
    np.testing.assert_array_equal(copies.signs([name.replace(".3", ".9") for name in IDS[::-1]])[::-1], one)
    assert set(np.unique(one)) == {np.float32(-0.125), np.float32(0.125)}
    assert abs(one.mean()) < 0.002


def test_a_copy_of_a_copy_is_one_of_the_first():
    told = [(0, 4, 0.1, 200), (0, 2, 0.1, 200), (2, 4, 0.1, 200), (4, 6, 0.1, 200), (1, 3, 0.1, 200)]
    assert copies.groups_of(told) == {2: 0, 3: 1, 4: 0, 6: 0}


def test_a_copy_in_another_study_in_other_units_leaves_the_corpus_and_is_told(animals, tmp_path):
    """An archive's coverage sums of 100 bases a read, and a user's counts of the same reads."""
    genes = pd.DataFrame(
        {"gene_name": IDS, "gene_type": "protein_coding", "bp_length": 1000, "measured": True}, index=IDS
    )

    def write(study, source, unit, counts, path):
        names = [f"{study}.{number}" for number in range(len(counts))]
        samples = pd.DataFrame({"study": study, "runs": names, "organism": "mouse", "source": source}, index=names)
        samples = samples.assign(unit=unit, auc=1.0, mapped_reads=1.0, average_mapped_length=100.0)[SAMPLE_COLUMNS]
        write_counts(np.asarray(counts, dtype=np.int64), samples, genes, path)
        return path

    bias = np.exp(np.random.default_rng(8).normal(0, 0.03, (4, GENES)))
    archive = write("SRP1", "sra", "base_coverage", np.round(100 * animals[:4] * bias), tmp_path / "a.h5ad")
    user = write("mine", "user", "read_count", animals[[5, 2, 6]], tmp_path / "b.h5ad")
    corpus = merge.merge([archive, user], [], ["protein_coding"])
    assert corpus.dropped[["study", "run", "reason", "value"]].values.tolist() == [
        ["mine", "mine.1", "near_copy", "SRP1.2"]
    ] or corpus.dropped[["study", "run", "reason", "value"]].values.tolist() == [
        ["SRP1", "SRP1.2", "near_copy", "mine.1"]
    ]
    assert len(corpus.samples) == 6


def test_samples_that_are_all_alike_keep_their_nearest_candidates_only():
    """Many thin samples: candidates grow with the samples, and the copy is still among them."""
    generator = np.random.default_rng(9)
    rows = generator.poisson(np.full((150, GENES), 0.5)).astype(float)
    rows = np.vstack([rows, rows[:1] * 2])
    pairs = copies.candidate_pairs(copies.sketch(rows, LENGTH, np.ones(len(rows)), copies.signs(IDS)))
    assert len(pairs) < len(rows) * (len(rows) - 1) // 2
    assert max(np.bincount([one for one, _ in pairs])) <= copies.MOST_CANDIDATES
    assert (0, 150) in pairs


def test_many_samples_that_are_one_are_compared_as_often_as_there_are_samples(caplog):
    """Of 1,500 copies of one sample each is settled by one comparison of its own."""
    generator = np.random.default_rng(8)
    expected = generator.lognormal(3, 1, GENES)
    one = generator.poisson(expected).astype(float)
    sketches = np.repeat(copies.sketch(one[None], LENGTH, np.ones(1), copies.signs(IDS)), 1500, axis=0)
    pairs = copies.candidate_pairs(sketches)
    assert len(pairs) <= 1500 * copies.MOST_CANDIDATES
    assert "samples have 20 or more others as near as copies are" in caplog.text
    asked = []

    def reads(row):
        asked.append(row)
        return one

    found = copies.settle(pairs, np.array([f"s{number}" for number in range(1500)]), reads)
    assert len(found) == 1499
    assert copies.groups_of(found) == dict.fromkeys(range(1, 1500), 0)
    assert len(asked) < 40 * 1500

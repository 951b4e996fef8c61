"""Training samples found again in a study. Oracle: which rows were copied."""

import numpy as np
import pandas as pd
import pytest
from scarceseq.corpus.transform import log_tpm
from scarceseq.guide.sketches import GENES, copies_among, training_sketches

COLUMNS = 3000
IDS = [f"ENSMUSG{number:011d}.1" for number in range(COLUMNS)]


@pytest.fixture(scope="module")
def corpus():
    """Coverage sums of 40 animals of five studies, their table, and the lengths of genes."""
    generator = np.random.default_rng(1)
    length = generator.integers(300, 6000, COLUMNS).astype(float)
    level = generator.lognormal(5.5, 1.5, COLUMNS)
    reads = generator.poisson(level * np.exp(generator.normal(0, 0.12, (40, COLUMNS))))
    coverage = np.round(reads * 100 * np.exp(generator.normal(0, 0.02, reads.shape)))
    samples = pd.DataFrame({"study": [f"S{number // 8}" for number in range(40)], "unit": "base_coverage"})
    samples = samples.assign(average_mapped_length=100.0, rate_sum=(coverage / length).sum(axis=1))
    return reads.astype(float), log_tpm(coverage, length).astype(np.float16), samples, length


@pytest.fixture(scope="module")
def sketches(corpus):
    _, values, samples, _ = corpus
    mean = (np.exp2(values.astype(float)) - 1).mean(axis=0)
    return training_sketches(values, np.arange(4, 40), samples, IDS, mean)


def thinned(reads):
    return np.random.default_rng(2).binomial(reads.astype(int), 0.5).astype(float)


COPIES = {
    "counts of the same reads": lambda reads: reads,
    "scaled": lambda reads: 7 * reads,
    "half of them": thinned,
    "one count changed": lambda reads: reads + np.eye(COLUMNS)[:1] * reads.sum(),
    "of a million": lambda reads: np.round(reads / reads.sum() * 4e5),
}


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("share", [1.0, 0.7])
def test_a_copy_of_a_training_sample_is_named_by_its_study_and_no_other_is(copy, share, corpus, sketches):
    reads, _, _, length = corpus
    tensors, studies = sketches
    generator = np.random.default_rng(3)
    measured = generator.random(COLUMNS) < share
    mine = np.vstack([reads[:4], copy(reads[17:18])]) * measured
    found = copies_among(mine, measured, length, tensors)
    assert [(one, row) for one, row, _ in found] == [(4, 17 - 4)]
    assert studies[int(tensors["study"][found[0][1]])] == "S2"


def test_samples_that_the_model_did_not_see_are_not_in_its_sketches(corpus, sketches):
    reads, _, _, length = corpus
    assert copies_among(reads[:4], np.ones(COLUMNS, dtype=bool), length, sketches[0]) == []


def test_a_sketch_holds_what_was_asked_in_two_kilobytes_a_sample(corpus, sketches):
    tensors, studies = sketches
    _, values, samples, _ = corpus
    genes = tensors["genes"].numpy()
    assert len(genes) == len(set(genes)) == GENES
    np.testing.assert_array_equal(tensors["log_tpm"].numpy(), values[4:][:, genes])
    assert tensors["log_tpm"][0].numpy().nbytes == 2048
    assert [studies[code] for code in tensors["study"]] == samples["study"].tolist()[4:]

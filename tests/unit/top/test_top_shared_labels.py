"""Series predicted from others: coordinates that keep distances, and permutations that keep a study's classes."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scarceseq.corpus.transform import NOT_MEASURED
from scarceseq.files import write_table
from sklearn.linear_model import Ridge
from sklearn.neighbors import NearestCentroid

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks" / "tools"))
import shared_labels

STUDIES = {"one": "first", "two": "first", "three": "second"}


@pytest.fixture
def run(tmp_path):
    """A corpus of three studies, 8 samples each, a gene that one has not measured, and its labels."""
    random = np.random.default_rng(3)
    names = [f"{study}.{sample}" for study in STUDIES for sample in range(8)]
    target = np.tile([0, 0, 0, 0, 1, 1, 1, 1], 3)
    genes = random.normal(4, 1, (24, 300)) + np.repeat(random.normal(0, 1, (3, 300)), 8, axis=0)
    genes[target == 1, :12] += 1.5
    genes[:8, 20] = NOT_MEASURED
    (tmp_path / "corpus").mkdir()
    write_table(pd.DataFrame({"sample": names}), tmp_path / "corpus" / "samples.parquet")
    np.save(tmp_path / "corpus" / "training.npy", genes.astype(np.float16))
    table = pd.DataFrame({"sample": names, "study": [name.partition(".")[0] for name in names], "target": target})
    table["series"] = table["study"].map(STUDIES)
    shuffled = table.sample(frac=1, random_state=1)
    return tmp_path, shuffled, genes.astype(np.float16).astype(float)


def test_a_series_is_predicted_from_the_others_as_scikit_learn_does_with_all_genes(run):
    folder, labels, genes = run
    table, values = shared_labels.coordinates(str(folder), labels)
    measured = np.delete(genes, 20, axis=1)
    assert sorted(table["sample"]) == sorted(labels["sample"])
    target, there = table["target"].to_numpy(), (table["series"] == "second").to_numpy()
    centre = np.mean([measured[~there & (target == one)].mean(axis=0) for one in (0, 1)], axis=0)
    penalty = np.mean(np.sum((measured[~there] - centre) ** 2, axis=1))
    plain = Ridge(alpha=penalty, fit_intercept=False).fit(measured[~there] - centre, target[~there] - 0.5)
    expected = plain.predict(measured[there] - centre) > 0
    accuracy, area = shared_labels.scored(table, values, "ridge", "second", target)
    assert accuracy == pytest.approx(np.mean(expected == target[there]))
    assert area > 0.9
    nearest = NearestCentroid().fit(measured[~there], target[~there]).predict(measured[there])
    accuracy, _ = shared_labels.scored(table, values, "nearest centroid", "second", target)
    assert accuracy == pytest.approx(np.mean(nearest == target[there]))


def test_permuted_labels_keep_the_classes_of_each_study_and_tell_nothing(run):
    folder, labels, _ = run
    table, values = shared_labels.coordinates(str(folder), labels)
    random = np.random.default_rng(1)
    draws = [shared_labels.permuted(table, random) for _ in range(200)]
    for draw in draws[:5]:
        assert (pd.Series(draw).groupby(table["study"]).sum() == 4).all()
        assert not (draw == table["target"]).all()
    areas = [shared_labels.scored(table, values, "ridge", "second", draw)[1] for draw in draws]
    assert np.mean(areas) == pytest.approx(0.5, abs=0.05)

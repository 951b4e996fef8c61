"""Metrics by ranks, signs and weights: hand-computed cases."""

import numpy as np
import pytest
from scarceseq.perturbation.metrics import METRICS
from scarceseq.perturbation.truth import Truth, gene_weights


def make_truth(delta, genes=None, top=None, noise=None, score=None):
    delta = np.asarray(delta, dtype=float)
    mask = np.ones(delta.shape, dtype=bool)
    if genes is not None:
        mask[np.arange(len(delta)), genes] = False
    top = mask if top is None else np.asarray(top, dtype=bool) & mask
    weights = None if score is None else gene_weights(np.asarray(score, dtype=float), mask)
    return Truth(delta, mask, top, top, delta.mean(axis=0), {}, weights, noise)


def test_discrimination_ranks_the_true_profile_among_all_by_hand():
    truth = make_truth([[0, 0], [1, 0], [0, 4]])
    prediction = np.array([[0.9, 0.0], [0.9, 0.0], [0.0, 3.0]])
    # first: distances .9, .1, 4.9 -> rank 1 of 3; second: rank 0; third: 3, 4, 1 -> rank 0
    assert METRICS["discrimination"].value(prediction, truth) == pytest.approx([1 - 1 / 3, 1, 1])
    assert METRICS["centroid_accuracy"].value(prediction, truth) == pytest.approx([0.5, 1, 1])


def test_a_prediction_that_is_the_same_for_all_discriminates_nothing():
    truth = make_truth(np.random.default_rng(0).normal(size=(41, 30)))
    same = np.zeros((41, 30))
    assert METRICS["centroid_accuracy"].value(same, truth).mean() == pytest.approx(0.5)
    equal = make_truth(np.ones((5, 3)))
    assert METRICS["centroid_accuracy"].value(np.zeros((5, 3)), equal).tolist() == [0.5] * 5
    assert np.isnan(METRICS["discrimination"].value(same[:1], make_truth(np.ones((1, 30))))).all()


def test_the_perturbed_gene_does_not_count_in_ranks():
    truth = make_truth([[-5, 1, 0], [1, -5, 2]], genes=[0, 1])
    right = np.array([[0, 1, 0], [1, 0, 2.0]])
    wrong = right.copy()
    wrong[0, 0], wrong[1, 1] = 99, -99
    for name in ("discrimination", "centroid_accuracy", "differential_recall"):
        assert METRICS[name].value(right, truth).tolist() == METRICS[name].value(wrong, truth).tolist()


def test_wrong_direction_is_the_share_of_opposite_signs():
    truth = make_truth([[1, -1, 2, -2, 3]], top=[[1, 1, 1, 1, 0]])
    assert METRICS["wrong_direction"].value(np.array([[1.0, 1, -1, 0, -3]]), truth).tolist() == [0.5]


def test_recall_counts_top_genes_among_as_many_strongest_changes():
    truth = make_truth([[1, 1, 1, 1, 1]], top=[[1, 1, 0, 0, 0]])
    recall = METRICS["differential_recall"].value
    assert recall(np.array([[-3.0, 1, 2, 0, 0]]), truth).tolist() == [0.5]
    # no change at all: each gene is among the two strongest with probability 2 / 5
    assert recall(np.zeros((1, 5)), truth) == pytest.approx([0.4])


def test_weights_are_squared_scaled_scores_and_sum_to_one():
    truth = make_truth([[0, 0, 0, 0]], genes=[3], score=[[1, -3, 5, 99]])
    expected = np.array([0, 0.25, 1, 0]) / 1.25
    assert truth.weights[0] == pytest.approx(expected)
    value = METRICS["weighted_mse"].value(np.array([[1.0, 2, 3, 4]]), truth)
    assert value == pytest.approx([expected @ [1, 4, 9, 16]])


def test_the_truth_itself_scores_the_noise_that_the_ceilings_tell():
    """Oracle: simulation; the squared error of the true means against measured profiles of two halves each."""
    generator = np.random.default_rng(0)
    means = generator.normal(size=(1000, 40))
    halves = means + generator.normal(size=(2, 1000, 40))
    top = generator.random((1000, 40)) < 0.3
    noise = (halves[0] - halves[1]) ** 2 / 4
    truth = make_truth(halves.mean(axis=0), top=top, noise=noise, score=generator.normal(size=(1000, 40)))
    for name in ("mse_top", "weighted_mse"):
        reached, ceiling = METRICS[name].value(means, truth), METRICS[name].ceiling(truth)
        assert ceiling.mean() == pytest.approx(reached.mean(), rel=0.05)

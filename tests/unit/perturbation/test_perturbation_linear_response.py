"""Response of control cells to the loss of a gene. Oracles: conditional normal law, numpy, CIPHER's own package."""

import numpy as np
import pytest
from scarceseq import registry
from scarceseq.errors import InputError
from scarceseq.perturbation.predictors import linear_response
from scarceseq.perturbation.prior import Prior
from scarceseq.perturbation.training_cells import Cells
from scipy import sparse

GENES = np.array([f"G{place}" for place in range(12)])
PERTURBED = np.array(["G3", "absent", "G7", "G1", "G9", "constant"])


@pytest.fixture(scope="module")
def world():
    """Control cells of a normal law, made positive by their mean; the last gene does not vary."""
    generator = np.random.default_rng(2)
    loading = generator.normal(size=(12, 4))
    covariance = loading @ loading.T / 8 + 0.3 * np.eye(12)
    mean = generator.uniform(4, 6, 12)
    control = generator.multivariate_normal(mean, covariance, size=30_000)
    control = np.hstack([control, np.full((len(control), 1), 2.0)])
    other = generator.normal(size=(60, 13))
    cells = Cells(
        sparse.csr_matrix(np.vstack([control, other])),
        np.repeat([0, 1, 2, 3, 4, 5, 6], [len(control), *[10] * 6]),
        np.zeros(len(control) + 60, dtype=int),
    )
    return control, mean, covariance, Prior(PERTURBED, np.append(GENES, "constant"), cells=cells)


def test_the_response_is_the_conditional_expectation_of_a_normal_law(world):
    """E[x | x_g = 0] - E[x] = -S[:, g] m_g / S_gg, by the law's own parameters."""
    _, mean, covariance, prior = world
    found = linear_response.prepare(prior)
    assert np.isnan(found[[1, 5]]).all()
    for row, gene in ((0, 3), (2, 7), (3, 1), (4, 9)):
        expected = -covariance[:, gene] * mean[gene] / covariance[gene, gene]
        np.testing.assert_allclose(found[row, :12], expected, atol=0.15)
        assert found[row, gene] == pytest.approx(-mean[gene], abs=0.05)


def test_slopes_and_strength_are_those_of_least_squares(world):
    control, _, _, prior = world
    found = linear_response.prepare(prior)
    design = np.column_stack([np.ones(len(control)), control[:, 7]])
    slope = np.linalg.lstsq(design, control, rcond=None)[0][1]
    np.testing.assert_allclose(found[2], -slope * control[:, 7].mean(), atol=1e-8)
    delta = np.random.default_rng(4).normal(size=(4, 13)) + 0.3 * found[[0, 2, 3, 4]]
    rows = [0, 2, 3, 4]
    model = linear_response.fit(delta, rows, found)
    # one number and a mean for each gene: the design of the whole regression, written out
    blocks = [np.column_stack([found[row], np.eye(13)]) for row in rows]
    expected = np.linalg.lstsq(np.vstack(blocks), delta.ravel(), rcond=None)[0]
    assert model.strength == pytest.approx(expected[0])
    np.testing.assert_allclose(linear_response.predict(model, [4])[0], expected[0] * found[4] + expected[1:])


def test_a_gene_without_response_gets_the_mean(world):
    prepared = linear_response.prepare(world[3])
    delta = np.random.default_rng(5).normal(size=(4, 13))
    for rows in ([0, 1, 2, 3], [1, 5, 1, 5]):
        model = linear_response.fit(delta, rows, prepared)
        np.testing.assert_allclose(linear_response.predict(model, [1, 5]), np.tile(delta.mean(axis=0), (2, 1)))


def test_cells_of_perturbations_have_no_influence_and_profiles_alone_are_refused(world):
    control, _, _, prior = world
    changed = Cells(
        sparse.csr_matrix(np.vstack([control, np.full((60, 13), 9.0)])), prior.cells.condition, prior.cells.batch
    )
    first, second = (linear_response.prepare(Prior(PERTURBED, prior.columns, cells=c)) for c in (prior.cells, changed))
    np.testing.assert_array_equal(first, second)
    assert registry.declared("perturbation.predictors", "linear_response", "KINDS") == ("cells",)
    with pytest.raises(InputError, match="needs the screen's cells"):
        linear_response.prepare(Prior(PERTURBED, prior.columns))


def test_it_is_the_direction_of_cipher(world):
    """Oracle: cipher-perturb, whose prediction of one perturbation is a multiple of a column of its covariance."""
    cipher = pytest.importorskip("cipher.core", reason="needs cipher-perturb")
    from cipher.covariance import compute_covariance

    control, _, _, prior = world
    found, sigma = linear_response.prepare(prior), compute_covariance(control)
    delta = np.random.default_rng(6).normal(size=13)
    for row, gene in ((0, 3), (2, 7)):
        predicted, _ = cipher.forward_predict(sigma, delta, gene)
        by_ours = found[row] * (found[row] @ delta) / (found[row] @ found[row])
        np.testing.assert_allclose(by_ours, predicted, atol=1e-8)

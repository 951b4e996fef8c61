"""Normalisation, masks, batches, schedule and the PCA rival, each against a value computed another way."""

import itertools

import numpy as np
import pytest
import torch
from scarceseq.corpus.order import draw_batches
from scarceseq.corpus.transform import NOT_MEASURED
from scarceseq.errors import InputError
from scarceseq.pretrain import components, normalisation
from scarceseq.pretrain.architectures.mlp import build
from scarceseq.pretrain.batches import standardiser
from scarceseq.pretrain.classifier import make_classifier
from scarceseq.pretrain.components import fit_components
from scarceseq.pretrain.evaluation import component_candidates, tune_probabilistic_pca
from scarceseq.pretrain.imputation import ProbabilisticPCA, probabilistic_pca
from scarceseq.pretrain.masking import count_rows, hide
from scarceseq.pretrain.model import Base
from scarceseq.pretrain.normalisation import fit_normalisation, mean_tpm
from scarceseq.pretrain.training import rate_factor
from sklearn.decomposition import PCA
from small_corpus import small_expression


def network(genes=12, width=4):
    torch.manual_seed(0)
    return build(torch.zeros(genes), torch.ones(genes), {"hidden_widths": [8], "width": width, "decoder_widths": [6]})


def test_normalisation_is_numpys_mean_and_deviation_with_a_floor(monkeypatch):
    monkeypatch.setattr(normalisation, "CHUNK_SAMPLES", 7)
    expression, _ = small_expression()
    rows = np.arange(3, 60)
    mean, scale = fit_normalisation(expression, rows, 0.1)
    values = expression[rows].astype(np.float64)
    np.testing.assert_allclose(mean, values.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(scale, np.maximum(values.std(axis=0), 0.1), rtol=1e-6)
    assert scale[7] == np.float32(0.1), "the constant gene has the floor"


def test_rows_stored_in_half_precision_are_not_computed_with_in_it():
    stored = small_expression()[0].astype(np.float16)
    exact = stored.astype(np.float64)
    mean, scale = fit_normalisation(stored, np.arange(130), 0.1)
    np.testing.assert_allclose(mean, exact.mean(axis=0), rtol=1e-6)
    base = Base(None, [f"g{gene}" for gene in range(40)], torch.from_numpy(mean), torch.from_numpy(scale))
    for rows in (stored, torch.from_numpy(stored)):
        made = base.standardise(rows)
        assert made.dtype == torch.float32
        np.testing.assert_allclose(made.numpy(), (exact - mean) / scale, atol=1e-5)


def test_value_that_is_not_finite_is_named_by_its_row():
    expression, _ = small_expression()
    expression[20, 3] = np.nan
    with pytest.raises(InputError, match="row 20"):
        fit_normalisation(expression, np.arange(60), 0.1)


def test_network_never_sees_masked_values():
    generator = torch.Generator().manual_seed(2)
    expression = torch.randn(6, 12, generator=generator)
    mask = torch.rand(6, 12, generator=generator) < 0.4
    other = torch.where(mask, torch.full_like(expression, 1e6), expression)
    trained = network()
    assert torch.equal(trained(expression, mask), trained(other, mask))


def test_what_is_seen_is_scaled_so_that_sums_keep_their_expectation():
    expression = torch.ones(3, 10)
    mask = torch.zeros(3, 10, dtype=torch.bool)
    mask[1, :5] = True
    mask[2] = True
    assert hide(expression, mask).sum(dim=1).tolist() == [10.0, 10.0, 0.0]
    assert hide(expression, mask)[1].tolist() == [0.0] * 5 + [2.0] * 5


def test_untrained_encoder_is_its_linear_path():
    expression = torch.randn(5, 12, generator=torch.Generator().manual_seed(0))
    encoder = network().encoder
    assert torch.equal(encoder(expression), encoder.linear(expression))
    without = build(torch.zeros(12), torch.ones(12), {"hidden_widths": [], "width": 4, "decoder_widths": []}).encoder
    assert {name for name, _ in without.named_parameters()} == {"linear.weight", "linear.bias"}


def test_the_joined_product_has_the_values_and_gradients_of_the_plain_encoder():
    encoder = network().encoder.double()
    torch.nn.init.normal_(encoder.output.weight, generator=torch.Generator().manual_seed(1))
    expression = torch.randn(5, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = []
    for forward in (encoder, encoder.train_on):
        encoder.zero_grad()
        embedding = forward(expression)
        embedding.pow(3).sum().backward()
        found.append([embedding.detach(), *(weight.grad.clone() for weight in encoder.parameters())])
    assert all(tensor.abs().max() > 0 for tensor in found[0])
    for plain, joined in zip(*found, strict=True):
        torch.testing.assert_close(joined, plain, rtol=1e-12, atol=1e-12)
    asked = expression.clone().requires_grad_()
    assert torch.autograd.gradcheck(encoder.train_on, asked)


@pytest.mark.parametrize("genes", [1, 7, 64, 1001])
def test_entries_that_are_true_are_counted_in_each_row(genes):
    mask = torch.rand(9, genes, generator=torch.Generator().manual_seed(3)) < 0.4
    mask[4] = False
    assert count_rows(mask).squeeze(1).tolist() == [max(sum(row), 1) for row in mask.tolist()]


def test_every_pass_sees_each_sample_once():
    rows = np.arange(100, 110)
    drawn = np.concatenate(list(itertools.islice(draw_batches(rows, 4, 1), 10)))
    for start in range(0, 40, 10):
        assert sorted(drawn[start : start + 10]) == rows.tolist()
    assert drawn[:10].tolist() != drawn[10:20].tolist()


def test_rate_rises_linearly_then_falls_as_a_cosine(settings):
    factors = [rate_factor(step, settings) for step in range(settings.steps + 1)]
    np.testing.assert_allclose(factors[:5], [0.2, 0.4, 0.6, 0.8, 1.0])
    np.testing.assert_allclose(factors[5], 1.0)
    np.testing.assert_allclose((factors[32] + factors[33]) / 2, 0.5, atol=1e-3)  # halfway between 5 and 60
    np.testing.assert_allclose(factors[60], 0.0, atol=1e-12)


def test_imputation_is_the_conditional_mean_of_the_whole_gaussian():
    generator = np.random.default_rng(4)
    genes, samples = 9, 5
    rival = ProbabilisticPCA(generator.normal(size=genes), generator.normal(size=(genes, 3)), 0.4)
    values = generator.normal(size=(samples, genes))
    mask = generator.random((samples, genes)) < 0.4
    covariance = rival.loadings @ rival.loadings.T + rival.noise * np.eye(genes)
    imputed = rival.impute(values, mask)
    on_device = rival.impute_on_device(torch.from_numpy(values), torch.from_numpy(mask))
    np.testing.assert_allclose(on_device.numpy(), imputed, rtol=1e-10)
    for row in range(samples):
        hidden, seen = mask[row], ~mask[row]
        gain = covariance[np.ix_(hidden, seen)] @ np.linalg.inv(covariance[np.ix_(seen, seen)])
        expected = rival.centre[hidden] + gain @ (values[row, seen] - rival.centre[seen])
        np.testing.assert_allclose(imputed[row, hidden], expected, rtol=1e-10)


def fit_on(values, components):
    fit = fit_components(lambda rows: values[rows], np.arange(len(values)), components, 0)
    return probabilistic_pca(fit, components)


def test_fitted_covariance_keeps_the_leading_variances_and_the_total():
    """Tipping and Bishop's maximum: sample covariance on the leading axes, the mean of the rest elsewhere."""
    expression, _ = small_expression()
    sample = np.cov(expression.T.astype(np.float64), bias=True)
    rival = fit_on(expression.astype(np.float64), 5)
    model = rival.loadings @ rival.loadings.T + rival.noise * np.eye(expression.shape[1])
    expected = np.sort(np.linalg.eigvalsh(sample))[::-1]
    got = np.sort(np.linalg.eigvalsh(model))[::-1]
    np.testing.assert_allclose(got[:5], expected[:5], rtol=1e-8)
    np.testing.assert_allclose(got[5:], expected[5:].mean(), rtol=1e-8)


def test_more_components_than_samples_are_lowered():
    expression, _ = small_expression()
    assert fit_on(expression[:6], 30).loadings.shape == (40, 5)


def test_number_of_components_is_the_one_that_predicts_best():
    generator = np.random.default_rng(6)
    loadings = 3 * generator.normal(size=(4, 30))
    training, values = (
        generator.normal(size=(samples, 4)) @ loadings + generator.normal(size=(samples, 30)) for samples in (60, 40)
    )
    mask = generator.random(values.shape) < 0.3
    candidates = component_candidates(8)
    assert candidates == [1, 2, 4, 8, 16]
    fit = fit_components(lambda rows: training[rows], np.arange(60), candidates[-1], 0)
    tensors = [(torch.from_numpy(values[part]), torch.from_numpy(mask[part])) for part in (slice(0, 25), slice(25, 40))]
    assert tune_probabilistic_pca(fit, tensors, candidates).loadings.shape == (30, 4)


def test_components_in_blocks_are_those_of_scikit_learn(monkeypatch):
    expression, _ = small_expression()
    chosen = np.arange(5, 125)
    expected = PCA(5, svd_solver="full").fit(expression[chosen].astype(np.float64))
    for at_once in (1000, 50):  # decomposed at once, and iterated over blocks
        monkeypatch.setattr(components, "SAMPLES_AT_ONCE", at_once)
        fit = fit_components(lambda rows: expression[rows], chosen, 5, 1)
        np.testing.assert_allclose(fit.variances, expected.explained_variance_ * 119 / 120, rtol=1e-4)
        np.testing.assert_allclose(np.abs(fit.axes @ expected.components_.T)[:3, :3], np.eye(3), atol=1e-4)
        total = expression[chosen].astype(np.float64).var(axis=0).sum()
        assert fit.total_variance == pytest.approx(total, rel=1e-6)


def test_classifier_is_a_true_copy_with_a_seeded_head():
    base = network()
    before = {name: weight.clone() for name, weight in base.state_dict().items()}
    one, same, other = make_classifier(base, 3, 1), make_classifier(base, 3, 1), make_classifier(base, 3, 2)
    assert torch.equal(one.head.weight, same.head.weight)
    assert not torch.equal(one.head.weight, other.head.weight)
    assert {name.split(".")[0] for name, _ in one.named_parameters()} == {"encoder", "head"}
    with torch.no_grad():
        for weight in one.parameters():
            weight.add_(1.0)
    assert all(torch.equal(before[name], weight) for name, weight in base.state_dict().items())


def test_values_that_were_not_measured_count_for_nothing():
    # Oracle: numpy's functions that leave out NaN.
    generator = np.random.default_rng(8)
    expression = generator.uniform(0, 12, (9, 5))
    expression[:4, 2] = NOT_MEASURED
    blank = np.where(expression == NOT_MEASURED, np.nan, expression)
    mean, scale = fit_normalisation(expression, np.arange(9), 1e-6)
    np.testing.assert_allclose(mean, np.nanmean(blank, axis=0), rtol=1e-6)
    np.testing.assert_allclose(scale, np.nanstd(blank, axis=0), rtol=1e-6)
    np.testing.assert_allclose(mean_tpm(expression, np.arange(9)), np.nanmean(2**blank - 1, axis=0))
    base = Base(torch.nn.Linear(5, 1), list("abcde"), torch.tensor(mean), torch.tensor(scale))
    expected = np.nan_to_num((blank - mean) / scale)
    np.testing.assert_allclose(base.standardise(expression), expected, atol=1e-5)
    found = standardiser(base.mean, base.scale, torch.float32)(torch.tensor(expression, dtype=torch.float32))
    np.testing.assert_allclose(found, expected, atol=1e-5)

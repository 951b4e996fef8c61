"""Registry entries: what each starts from, how its weights may move, and which file it needs."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from scarceseq import registry
from scarceseq.errors import InputError
from scarceseq.fewshot import checks, estimators, rates
from scarceseq.fewshot.method import Gradient, required_guide

NAMES = registry.names("fewshot.methods")


@pytest.fixture
def encoder(world):
    """Encoder parameters under the classifier's names."""
    return {f"encoder.{name}": weight for name, weight in world.base.network.encoder.named_parameters()}


@pytest.mark.parametrize("name", NAMES)
def test_required_guide_read_from_source_is_that_of_the_imported_entry(name):
    assert required_guide(name) == registry.load("fewshot.methods", name).METHOD.guide


def test_required_guide_of_unknown_method_lists_known_ones():
    with pytest.raises(InputError, match=r"no entry 'guided'.*guided_per_tensor"):
        required_guide("guided")


def test_planning_what_a_method_needs_does_not_import_torch():
    code = "import sys; from scarceseq.fewshot.method import required_guide; required_guide('guided_global'); "
    code += "sys.exit('torch' in sys.modules or 'sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}).returncode == 0


def test_engine_and_rates_import_without_tables():
    code = "import sys; import scarceseq.fewshot.engine, scarceseq.fewshot.rates; "
    code += "sys.exit(any(name in sys.modules for name in ('pandas', 'sklearn', 'pyarrow', 'anndata', 'scipy')))"
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}).returncode == 0


GRADIENT = [name for name in NAMES if isinstance(registry.load("fewshot.methods", name).METHOD, Gradient)]


@pytest.mark.parametrize("name", [name for name in GRADIENT if name != "scratch"])
def test_every_gradient_method_but_scratch_starts_from_the_base(name, world):
    method = registry.load("fewshot.methods", name).METHOD
    started = method.start(world.base, 3, 5)
    for one, two in zip(started.encoder.parameters(), world.base.network.encoder.parameters(), strict=True):
        assert torch.equal(one, two)
        assert one.data_ptr() != two.data_ptr()


def test_scratch_draws_other_encoder_same_head_and_leaves_global_generator_alone(world):
    torch.manual_seed(0)
    state = torch.get_rng_state()
    drawn, again, other = (rates.random_start(world.base, 3, seed) for seed in (5, 5, 6))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(drawn.head.weight, rates.pretrained_start(world.base, 3, 5).head.weight)
    first, same, elsewhere, trained = (
        next(weight for weight in network.encoder.parameters() if weight.ndim == 2)
        for network in (drawn, again, other, world.base.network)
    )
    assert torch.equal(first, same)
    assert not torch.equal(first, elsewhere)
    assert not torch.equal(first, trained)


def test_mean_rates_equal_hand_computed_means():
    encoder = {"encoder.a": torch.zeros(2), "encoder.b": torch.zeros(1, 4)}
    guide = {"encoder.a": torch.tensor([0.0, 1.0]), "encoder.b": torch.tensor([[0.1, 0.1, 0.1, 0.1]])}
    scalar = rates.mean_rate(encoder, guide, 0)
    assert scalar["encoder.a"] == scalar["encoder.b"] == pytest.approx((1.0 + 0.4) / 6)
    assert rates.tensor_mean_rate(encoder, guide, 0) == pytest.approx({"encoder.a": 0.5, "encoder.b": 0.1})


def test_permuted_guide_keeps_each_tensors_values_in_another_order(encoder, guide):
    permuted = rates.permuted_rate(encoder, guide, 1)
    for name, values in permuted.items():
        assert values.shape == guide[name].shape
        assert torch.equal(values.flatten().sort().values, guide[name].flatten().sort().values)
    assert not all(torch.equal(permuted[name], guide[name]) for name in guide)
    again = rates.permuted_rate(encoder, guide, 1)
    assert all(torch.equal(permuted[name], again[name]) for name in guide)


def test_guide_of_another_base_is_refused(encoder, guide):
    checks.check_guide(guide, encoder, "g")
    name = next(iter(encoder))
    with pytest.raises(InputError, match=f"g: tensors do not match.*{name}"):
        checks.check_guide({n: v for n, v in guide.items() if n != name}, encoder, "g")
    with pytest.raises(InputError, match=rf"{name} has shape \(3,\)"):
        checks.check_guide(guide | {name: torch.zeros(3)}, encoder, "g")
    for wrong in (float("nan"), 1.5, -0.1):
        with pytest.raises(InputError, match=r"outside \[0, 1\]"):
            checks.check_guide(guide | {name: torch.full_like(guide[name], wrong)}, encoder, "g")


def test_unshrunken_centroids_predict_the_nearest_class_mean():
    support = np.array([[0.0, 0.0], [2.0, 0.0], [9.0, 9.0], [9.0, 7.0]])
    query = np.array([[1.5, 1.0], [8.0, 8.0], [5.5, 4.5]])
    found = estimators.shrunken_centroids(support, np.array([0, 0, 1, 1]), query, 0.0)
    means = np.array([[1.0, 0.0], [9.0, 8.0]])
    expected = ((query[:, None] - means) ** 2).sum(2).argmin(1)
    assert found.argmax(1).tolist() == expected.tolist()
    np.testing.assert_allclose(found.sum(1), 1)


def test_shrinkage_drops_genes_whose_class_means_differ_less_than_the_threshold():
    support = np.array([[0.0, 0.0], [0.4, 4.0]])
    one, two = (
        estimators.shrunken_centroids(support, np.array([0, 1]), np.array([[gene, 2.0]]), 1.0) for gene in (-9.0, 9.0)
    )
    np.testing.assert_allclose(one, [[0.5, 0.5]])  # gene 0: offset 0.2 < 1, so it has no say; gene 1 is in the middle
    np.testing.assert_allclose(two, one)


def test_principal_components_are_fitted_on_the_reference_alone(world, fitting):
    reference = np.random.default_rng(0).normal(size=(30, 6)).astype(np.float32)
    transform = estimators.principal_components(world.base, reference, fitting, 1)
    centred = reference - reference.mean(0)
    components = np.linalg.svd(centred.astype(float), full_matrices=False)
    expected = components.U[:, :5] * np.sqrt(29)
    np.testing.assert_allclose(np.abs(transform(reference)), np.abs(expected), atol=1e-4)

"""Every gradient-trained method against an independent loop of nn.Module and torch.optim, in float64."""

import copy
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from every_method import TRAINED
from scarceseq import registry
from scarceseq.fewshot.compose import compose
from scarceseq.fewshot.corpus import Episode
from scarceseq.fewshot.engine import dual
from scarceseq.fewshot.engine import loop as engine
from scarceseq.fewshot.engine.fitting import Fitter, _alike
from scarceseq.fewshot.engine.loop import Engine, make_triple
from scarceseq.fewshot.engine.rate_inputs import RateInputs
from scarceseq.fewshot.engine.starts import pretrained_start
from scarceseq.fewshot.engine.updates import Schedule
from scarceseq.fewshot.method import Candidate
from scarceseq.fewshot.settings import FittingSettings
from scarceseq.pretrain.gene_layers import gene_layers
from scarceseq.seeds import derive
from torch import nn

METHODS = {name: compose(name) for name in TRAINED}
# Optimisers, single gradient entries and pulls of single weights, which the dual form does not allow.
DENSE = ("adamw_fine_tuning", "child_tuning_f", "ewc", "guide_prior@per_tensor")
DENSE += ("guided_adamw@per_tensor", "paper_literal@per_tensor")
CANDIDATE = Candidate(0.05, 25)
SETTINGS = FittingSettings(
    momentum=0.9,
    pca_components=5,
    reference_samples=9,
    curve_steps=[],
    curve_episodes=0,
    candidates=[CANDIDATE, Candidate(0.02, 25)],
)
TOLERANCE = 1e-10  # of the largest displacement
MARGIN = 1e-7  # of the activations: nearer to the kink of ReLU, rounding could decide


@pytest.fixture
def setting(world, guide):
    """Base, guide and reference in float64; the hidden layers have a say from the start."""
    base = world.base
    torch.manual_seed(0)
    nn.init.normal_(base.network.encoder.output.weight, std=0.3)
    base.network.double()
    base.mean, base.scale = base.mean.double(), base.scale.double()
    reference = np.random.default_rng(0).normal(size=(20, len(world.gene_ids)))
    return RateInputs(base, pretrained_start(base, 2, 0), {n: g.double() for n, g in guide.items()}, 3, reference)


@pytest.fixture
def episodes(world):
    """Three episodes of 3 classes x 3 samples; queries of different sizes."""
    generator = np.random.default_rng(5)
    found = []
    for number in range(3):
        classes, query = np.arange(9) % 3, np.arange(5 + number) % 3
        shift = np.eye(40)[:3][np.concatenate([classes, query])]
        expression = generator.normal(size=shift.shape) + shift
        parts = (expression[:9], classes, expression[9:], query)
        found.append(Episode("test", number, 70 + number, ["a", "b", "c"], *parts, [], "", ""))
    return found


def plain_loop(classifier, triple, method, episode, candidate, settings=SETTINGS):
    """Oracle: torch.optim on a copy of the module; what a method adds is written out beside it."""
    network, (learning_rate, all_steps) = copy.deepcopy(classifier).train(), candidate
    expression, classes = torch.from_numpy(episode.support), torch.from_numpy(episode.support_classes)
    start = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    generator = torch.Generator().manual_seed(derive(episode.seed, "kept entries"))
    margins = []
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_pre_hook(lambda _, given: margins.append(float(given[0].detach().abs().min())))
    probe_steps = round(method.probe_share * all_steps)
    for phase, steps in (("head", probe_steps), ("all", all_steps - probe_steps)):
        if method.optimiser == "sgd":
            optimiser = torch.optim.SGD(network.parameters(), lr=learning_rate, momentum=settings.momentum)
        else:
            optimiser = torch.optim.Adam(network.parameters(), lr=learning_rate)
        for _ in range(steps):
            optimiser.zero_grad()
            nn.CrossEntropyLoss()(network(expression), classes).backward()
            before = {name: weight.detach().clone() for name, weight in network.named_parameters()}
            for name, weight in network.named_parameters():
                if method.optimiser == "adam_on_scaled_gradient":
                    weight.grad *= triple.rate[name]
                if method.kept_share < 1 and name.startswith("encoder."):
                    kept = torch.zeros_like(weight).bernoulli_(method.kept_share, generator=generator)
                    weight.grad *= kept / method.kept_share
            optimiser.step()
            with torch.no_grad():
                for name, weight in network.named_parameters():
                    rate = triple.rate[name] if method.optimiser != "adam_on_scaled_gradient" else 1.0
                    if phase == "head" and name.startswith("encoder."):
                        rate = 0.0
                    moved = before[name] + rate * (weight - before[name])
                    momentum = settings.momentum if method.optimiser == "sgd" else 0.0
                    strength = learning_rate * triple.pull[name] / (1 - momentum)
                    weight.copy_((moved + strength * start[name]) / (1 + strength))
    assert min(margins) > MARGIN
    return network


def fitted(method, setting, episode, candidate, settings=SETTINGS):
    """Engine's weights and probabilities, and what they were made from."""
    fitter = Fitter(method, setting, settings)
    triple, engine = fitter.begin(episode)
    tensors = [torch.from_numpy(a) for a in (episode.support, episode.support_classes, episode.query)]
    support = engine.prepare(triple, *tensors)
    generator = torch.Generator().manual_seed(derive(episode.seed, "kept entries"))
    fit = engine.fit(support, fitter.schedule(candidate), method.kept_share, [generator])
    return SimpleNamespace(
        triple=triple,
        engine=engine,
        weights=engine.weights(support, fit),
        probabilities=engine.predict(support, fit).numpy(),
    )


@pytest.mark.parametrize("name", TRAINED)
def test_every_method_equals_a_plain_loop(name, setting, episodes):
    method, episode, candidate = METHODS[name], episodes[0], CANDIDATE
    found = fitted(method, setting, episode, candidate)
    assert bool(found.engine.layers) == (name not in DENSE)
    classifier = method.start(setting.base, 3, derive(episode.seed, "start"))
    network = plain_loop(classifier, found.triple, method, episode, candidate)
    expected = dict(network.named_parameters())
    assert set(expected) == set(found.weights)
    moved = {name: float((weight.detach() - found.triple.start[name]).abs().max()) for name, weight in expected.items()}
    largest = max(moved.values())
    assert largest > 1e-3
    for parameter, weight in expected.items():
        difference = float((weight.detach() - found.weights[parameter]).abs().max())
        assert difference <= TOLERANCE * largest, parameter
    with torch.no_grad():
        probabilities = network.eval()(torch.from_numpy(episode.query)).softmax(dim=1).numpy()
    np.testing.assert_allclose(found.probabilities, probabilities, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("name", TRAINED)
def test_stacked_fits_equal_those_one_by_one(name, setting, episodes):
    method = METHODS[name]
    fitter = Fitter(method, setting, SETTINGS)
    stack = [(episode, candidate) for candidate in SETTINGS.candidates for episode in episodes]
    together = fitter.stacked(stack)
    alone = [fitter.one_by_one(episode, SETTINGS.candidates) for episode in episodes]
    for (episode, candidate), probabilities in zip(stack, together, strict=True):
        expected = alone[episodes.index(episode)][SETTINGS.candidates.index(candidate)]
        assert probabilities.shape == (len(episode.query), 3)
        np.testing.assert_allclose(probabilities, expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("name", ["full_fine_tuning", "guided@per_tensor", "gene_variance_guide", "child_tuning_f"])
def test_fits_leave_the_base_as_it_was(name, setting, episodes):
    before = copy.deepcopy(setting.base.network.state_dict())
    Fitter(METHODS[name], setting, SETTINGS).one_by_one(episodes[0], [CANDIDATE])
    assert all(torch.equal(before[key], value) for key, value in setting.base.network.state_dict().items())


@pytest.mark.parametrize("name", [name for name in TRAINED if name not in DENSE])
def test_fits_without_numba_are_the_same(name, setting, episodes, monkeypatch):
    used = []
    descend = engine.compiled_mlp.descend
    monkeypatch.setattr(engine.compiled_mlp, "descend", lambda *given: used.append(descend(*given)) or used[-1])
    one = fitted(METHODS[name], setting, episodes[0], CANDIDATE)
    assert used == ([] if name in ("linear_probe", "lora") else [True]), "numba is part of the environment"
    monkeypatch.setattr(engine, "compiled_mlp", None)
    monkeypatch.setattr(dual, "compiled_contract", None)
    two = fitted(METHODS[name], setting, episodes[0], CANDIDATE)
    for parameter, weight in one.weights.items():
        torch.testing.assert_close(weight, two.weights[parameter], rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", [(1, 40), (16, 40), ()])
@pytest.mark.parametrize("bias_rate", [0.0, 0.7, "each", None])
def test_dual_form_of_one_layer_with_any_shape_of_rate(shape, bias_rate):
    generator = torch.Generator().manual_seed(1)
    draw = lambda *size: torch.rand(*size, generator=generator, dtype=torch.float64)  # noqa: E731
    rate = draw(*shape) if shape else 0.3
    weight, expression, query, coefficient = draw(16, 40), draw(7, 40), draw(4, 40), draw(7, 16)
    bias = None if bias_rate is None else draw(16)
    bias_rate = draw(16) if bias_rate == "each" else bias_rate or 0.0
    layer = dual.gene_layer(weight, bias, rate, bias_rate, expression)
    final = weight - rate * (coefficient.T @ expression)
    final_bias = torch.zeros(16) if bias is None else bias - bias_rate * coefficient.sum(dim=0)
    torch.testing.assert_close(layer.final(coefficient)[0], final)
    torch.testing.assert_close(layer.preactivation(coefficient), expression @ final.T + final_bias)
    torch.testing.assert_close(layer.of_query(coefficient, query, layer.start_of(query)), query @ final.T + final_bias)


def test_gram_matrices_in_single_precision_are_those_in_double():
    generator = torch.Generator().manual_seed(1)
    rate, expression = (torch.rand(*size, generator=generator) for size in ((16, 5000), (7, 5000)))
    expected = torch.einsum("ig,jg,hg->ijh", expression.double(), expression.double(), rate.double())
    found = dual.gene_layer(rate, None, rate, 0.0, expression).gram
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=0)


def test_layers_over_the_genes_are_found_wherever_they_are(setting):
    assert gene_layers(setting.classifier, 40) == ["encoder.linear", "encoder.hidden.0"]
    lora = METHODS["lora"].start(setting.base, 2, 0)
    named = ["linear.base", "linear.down", "hidden.0.base", "hidden.0.down"]
    assert gene_layers(lora, 40) == [f"encoder.{name}" for name in named]


def test_many_samples_take_the_dense_path_where_it_is_shorter(setting, episodes):
    few = Candidate(0.05, 4)
    short, mixed = (replace(SETTINGS, candidates=tried) for tried in ([few], [few, CANDIDATE]))
    assert not fitted(METHODS["guided@per_tensor"], setting, episodes[0], few, short).engine.layers
    assert fitted(METHODS["guided@per_tensor"], setting, episodes[0], few, mixed).engine.layers
    assert fitted(METHODS["full_fine_tuning"], setting, episodes[0], few, short).engine.layers


@pytest.mark.parametrize("name", ["guided@per_tensor", "linear_probe_then_fine_tuning", "child_tuning_f", "lora"])
def test_each_candidate_is_fitted_for_its_own_number_of_steps(name, setting, episodes):
    method, candidates = METHODS[name], [Candidate(0.05, 25), Candidate(0.05, 8), Candidate(0.02, 8)]
    fitter = Fitter(method, setting, replace(SETTINGS, candidates=candidates))
    triple, _ = fitter.begin(episodes[0])
    for candidate, found in zip(candidates, fitter.one_by_one(episodes[0], candidates), strict=True):
        classifier = method.start(setting.base, 3, derive(episodes[0].seed, "start"))
        network = plain_loop(classifier, triple, method, episodes[0], candidate).eval()
        with torch.no_grad():
            expected = network(torch.from_numpy(episodes[0].query)).softmax(dim=1).numpy()
        np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE)


def test_only_candidates_of_as_many_steps_share_a_stack():
    candidates = [Candidate(0.1, 30), Candidate(0.1, 100), Candidate(0.01, 30), Candidate(0.01, 100)]
    assert _alike(each.steps for each in candidates) == [[0, 2], [1, 3]]


def test_dual_form_is_refused_where_it_is_not_exact(setting, episodes):
    classifier = pretrained_start(setting.base, 3, 1)
    pull = {name: torch.ones_like(weight) for name, weight in setting.encoder.items()}
    with pytest.raises(ValueError, match="not exact with a pull for each weight"):
        Engine(classifier, make_triple(classifier, {}, pull), 9, 40, 25, dual=True)
    triple = make_triple(classifier, {}, {})
    engine = Engine(classifier, triple, 9, 40, 25, dual=True)
    support = engine.prepare(
        triple, *(torch.from_numpy(a) for a in (episodes[0].support, episodes[0].support_classes, episodes[0].query))
    )
    with pytest.raises(ValueError, match="exact for SGD"):
        engine.fit(support, Schedule(0.01, 0.9, 25, "adam"))


def test_pull_rests_where_the_penalised_loss_has_its_minimum(setting, episodes):
    # Oracle: there the gradient of loss + pull / 2 * (weight - start)**2 is zero. Linear, so that it is smooth.
    linear = {"hidden_widths": [], "width": 8, "decoder_widths": []}
    base = setting.base
    base.network = registry.load("pretrain.architectures", "mlp").build(base.mean, base.scale, linear).double()
    setting = replace(setting, classifier=pretrained_start(base, 2, 0))
    long = Candidate(0.05, 6000)
    method = replace(METHODS["l2_sp"], pull=lambda s: dict.fromkeys(s.encoder, 0.6))
    found = fitted(method, setting, episodes[0], long)
    network = method.start(setting.base, 3, derive(episodes[0].seed, "start"))
    network = copy.deepcopy(network)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            weight.copy_(found.weights[name])
    loss = nn.CrossEntropyLoss()(
        network(torch.from_numpy(episodes[0].support)), torch.from_numpy(episodes[0].support_classes)
    )
    loss.backward()
    moved = {name: found.weights[name] - found.triple.start[name] for name, _ in network.named_parameters()}
    for name, weight in network.encoder.named_parameters():
        name = f"encoder.{name}"
        torch.testing.assert_close(weight.grad, -0.6 * moved[name], rtol=1e-3, atol=2e-5)
    assert max(float(way.abs().max()) for name, way in moved.items() if name.startswith("encoder.")) > 0.01


def test_zero_guide_leaves_encoder_unmoved_and_guide_of_ones_is_full_fine_tuning(setting, episodes):
    for value, other in ((0.0, "linear_probe"), (1.0, "full_fine_tuning")):
        guide = {name: torch.full_like(weight, value) for name, weight in setting.guide.items()}
        one = fitted(METHODS["guided@per_tensor"], replace(setting, guide=guide), episodes[0], CANDIDATE)
        two = fitted(METHODS[other], setting, episodes[0], CANDIDATE)
        for name, weight in one.weights.items():
            torch.testing.assert_close(weight, two.weights[name], rtol=0, atol=1e-12)
        if value == 0.0:
            assert all(torch.equal(one.weights[name], weight) for name, weight in setting.encoder.items())


def test_update_is_zero_where_guide_is_zero(setting, episodes):
    half = {name: (value > 0.5).double() for name, value in setting.guide.items()}
    found = fitted(METHODS["guided@per_tensor"], replace(setting, guide=half), episodes[0], CANDIDATE)
    for name in ("encoder.linear.weight", "encoder.hidden.0.weight", "encoder.output.weight"):
        moved = found.weights[name] != found.triple.start[name]
        assert not moved[half[name] == 0].any()
        assert moved[half[name] == 1].double().mean() > 0.9


def test_adam_cancels_a_guide_on_the_gradient_but_not_on_the_update(setting, episodes):
    # Guides in [1e-3, 1] and a large gradient: below, Adam's epsilon shows.
    guide = {name: 1e-3 + 0.999 * value for name, value in setting.guide.items()}
    guided = replace(setting, guide=guide)
    start = METHODS["adamw_fine_tuning"]
    free = replace(start, pull=METHODS["paper_literal@per_tensor"].pull)
    update = replace(METHODS["guided_adamw@per_tensor"], pull=free.pull)
    loud = replace(episodes[0], support=10 * episodes[0].support)
    weights = [
        fitted(method, guided, loud, Candidate(1e-4, 3)).weights
        for method in (free, METHODS["paper_literal@per_tensor"], update)
    ]
    name = "encoder.linear.weight"
    plain, literal, multiplied = (w[name] - setting.encoder[name] for w in weights)
    assert float((literal - plain).abs().max() / plain.abs().max()) < 0.01
    torch.testing.assert_close(multiplied / plain, guide[name], rtol=0.1, atol=0.02)

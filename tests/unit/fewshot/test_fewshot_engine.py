"""The engine against an independent loop of nn.Module and torch.optim.SGD."""

import copy

import pytest
import torch
from scarceseq.fewshot.engine import Schedule, fit, make_triple, predict
from scarceseq.fewshot.rates import full_rate, guide_rate, no_pull, no_rate, tensor_mean_rate
from scarceseq.pretrain.classifier import make_classifier
from torch import nn

SCHEDULE = Schedule(learning_rate=0.05, momentum=0.9, steps=25)


@pytest.fixture
def case(world, guide):
    """Classifier, guide, support and classes in float64."""
    torch.manual_seed(0)
    classifier = make_classifier(world.base.network.double(), 3, 4)
    expression, classes = torch.randn(9, len(world.gene_ids), dtype=torch.float64), torch.arange(9) % 3
    encoder = {name: weight for name, weight in classifier.named_parameters() if name.startswith("encoder.")}
    return classifier, encoder, {name: value.double() for name, value in guide.items()}, expression, classes


def plain_loop(classifier, rate, precision, expression, classes):
    """Oracle: PyTorch's optimiser on a module; after each step every weight keeps `rate` of the way it went."""
    network = copy.deepcopy(classifier)
    start = [weight.detach().clone() for weight in network.parameters()]
    optimiser = torch.optim.SGD(network.parameters(), lr=SCHEDULE.learning_rate, momentum=SCHEDULE.momentum)
    for _ in range(SCHEDULE.steps):
        optimiser.zero_grad()
        loss = nn.CrossEntropyLoss()(network(expression), classes)
        for (name, weight), first in zip(network.named_parameters(), start, strict=True):
            loss = loss + (precision.get(name, 0.0) * (weight - first) ** 2).sum() / 2
        loss.backward()
        before = [weight.detach().clone() for weight in network.parameters()]
        optimiser.step()
        with torch.no_grad():
            for (name, weight), old in zip(network.named_parameters(), before, strict=True):
                weight.copy_(old + rate.get(name, 1.0) * (weight - old))
    return dict(network.named_parameters())


@pytest.mark.parametrize("rule", [full_rate, guide_rate, tensor_mean_rate, no_rate])
def test_fit_equals_plain_loop_of_torch_optimiser(case, rule):
    classifier, encoder, guide, expression, classes = case
    rate = rule(encoder, guide, 0)
    weights = fit(classifier, make_triple(classifier, rate, no_pull(encoder)), expression, classes, SCHEDULE)
    expected = plain_loop(classifier, rate, {}, expression, classes)
    for name, weight in expected.items():
        torch.testing.assert_close(weights[name], weight.detach(), rtol=0, atol=1e-10)


def test_precision_equals_penalised_loss_of_plain_loop(case):
    classifier, encoder, guide, expression, classes = case
    precision = {name: 2.0 * value for name, value in guide.items()}
    triple = make_triple(classifier, full_rate(encoder, None, 0), precision)
    weights = fit(classifier, triple, expression, classes, SCHEDULE)
    free = fit(classifier, make_triple(classifier, triple.rate, no_pull(encoder)), expression, classes, SCHEDULE)
    expected = plain_loop(classifier, {}, precision, expression, classes)
    assert max((weights[name] - free[name]).abs().max() for name in encoder) > 1e-3
    for name, weight in expected.items():
        torch.testing.assert_close(weights[name], weight.detach(), rtol=0, atol=1e-10)


def test_training_learns_the_support_and_leaves_the_classifier_as_it_was(case):
    classifier, encoder, guide, expression, classes = case
    before = copy.deepcopy(classifier.state_dict())
    triple = make_triple(classifier, full_rate(encoder, guide, 0), no_pull(encoder))
    weights = fit(classifier, triple, expression, classes, SCHEDULE)
    assert (predict(classifier, weights, expression).argmax(1) == classes).all()
    assert all(torch.equal(before[name], tensor) for name, tensor in classifier.state_dict().items())


def test_zero_guide_leaves_encoder_unmoved_and_trains_head(case):
    classifier, encoder, guide, expression, classes = case
    nothing = {name: torch.zeros_like(value) for name, value in guide.items()}
    triple = make_triple(classifier, guide_rate(encoder, nothing, 0), no_pull(encoder))
    weights = fit(classifier, triple, expression, classes, SCHEDULE)
    assert all(torch.equal(weights[name], encoder[name].detach()) for name in encoder)
    assert not torch.equal(weights["head.weight"], classifier.head.weight)


def test_update_is_zero_where_guide_is_zero(case):
    classifier, encoder, guide, expression, classes = case
    half = {name: (value > 0.5).double() for name, value in guide.items()}
    triple = make_triple(classifier, guide_rate(encoder, half, 0), no_pull(encoder))
    weights = fit(classifier, triple, expression, classes, SCHEDULE)
    name = next(name for name in encoder if encoder[name].ndim == 2)
    moved = weights[name] != encoder[name]
    assert not moved[half[name] == 0].any()
    assert moved[half[name] == 1].double().mean() > 0.9


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_guide_of_ones_equals_full_fine_tuning_exactly(case, dtype):
    classifier, encoder, _, expression, classes = case
    classifier, expression = classifier.to(dtype), expression.to(dtype)
    ones = {name: torch.ones_like(weight) for name, weight in classifier.named_parameters() if name in encoder}
    guided = make_triple(classifier, guide_rate(encoder, ones, 0), no_pull(encoder))
    full = make_triple(classifier, full_rate(encoder, None, 0), no_pull(encoder))
    one, two = (fit(classifier, triple, expression, classes, SCHEDULE) for triple in (guided, full))
    assert all(torch.equal(one[name], two[name]) for name in one)

"""Meta-learners against loops written out by hand, in float64."""

import copy
import dataclasses

import numpy as np
import pytest
import torch
from scarceseq import registry
from scarceseq.errors import InputError
from scarceseq.guide.inner import check_learned
from scarceseq.guide.meta import aruba, meta_sgd, protonet, reptile
from scarceseq.guide.scout_data import ScoutSamples
from scarceseq.guide.settings import MetaSettings
from scarceseq.pretrain.classifier import make_classifier
from scarceseq.seeds import derive
from torch.nn.functional import cross_entropy

SETTINGS = MetaSettings(tasks=3, passes=2, inner_steps=4, inner_learning_rate=0.05, outer_learning_rate=0.3)


@pytest.fixture
def network(base):
    """The small base's network in float64, with hidden layers that have a say."""
    torch.manual_seed(0)
    network = base.network.double()
    for weight in network.encoder.parameters():
        if weight.ndim > 1:
            torch.nn.init.normal_(weight, std=0.2)
    return network


@pytest.fixture
def tasks(base):
    """Three tasks of two or three classes that shift some genes."""
    generator, found = torch.Generator().manual_seed(1), []
    for scout in range(3):
        classes = 2 + scout % 2
        labels = torch.arange(6 * classes) % classes
        expression = torch.randn(len(labels), len(base.gene_ids), generator=generator, dtype=torch.float64)
        expression += torch.randn(classes, len(base.gene_ids), generator=generator, dtype=torch.float64)[labels]
        half = len(labels) // 2
        found.append(ScoutSamples(scout, expression[:half], labels[:half], expression[half:], labels[half:]))
    return found


def scout_by_hand(network, task, steps, rate, seed):
    """torch.optim.SGD on a copy: the trained module, and each step's gradients by name."""
    classes = int(task.train_labels.max()) + 1
    module = make_classifier(network, classes, derive(seed, "head", task.scout))
    optimiser, gradients = torch.optim.SGD(module.parameters(), lr=rate), []
    for _ in range(steps):
        optimiser.zero_grad()
        cross_entropy(module(task.train_expression), task.train_labels).backward()
        gradients.append({name: weight.grad.clone() for name, weight in module.named_parameters()})
        optimiser.step()
    return dict(module.named_parameters()), gradients


def test_reptile_equals_a_loop_of_sgd_on_copies(network, tasks):
    learned = reptile.learn(network, tasks, SETTINGS, 5)
    moving = copy.deepcopy(network)
    for _ in range(SETTINGS.passes):
        for task in tasks:
            end, _ = scout_by_hand(moving, task, SETTINGS.inner_steps, SETTINGS.inner_learning_rate, 5)
            with torch.no_grad():
                for name, weight in moving.encoder.named_parameters():
                    weight += SETTINGS.outer_learning_rate * (end[f"encoder.{name}"] - weight)
    for name, weight in moving.encoder.named_parameters():
        torch.testing.assert_close(learned[f"encoder.{name}"], weight.detach(), rtol=0, atol=1e-12)
    assert any((learned[f"encoder.{n}"] - w).abs().max() > 1e-3 for n, w in network.encoder.named_parameters())


def held_out_loss(network, task, rates, seed):
    """Held-out loss after the inner steps with these rates, written out."""
    classes = int(task.train_labels.max()) + 1
    module = make_classifier(network, classes, derive(seed, "head", task.scout))
    for _ in range(SETTINGS.inner_steps):
        loss = cross_entropy(module(task.train_expression), task.train_labels)
        gradients = torch.autograd.grad(loss, list(module.parameters()))
        with torch.no_grad():
            for (name, weight), gradient in zip(module.named_parameters(), gradients, strict=True):
                weight -= rates.get(name, SETTINGS.inner_learning_rate) * gradient
    return float(cross_entropy(module(task.held_out_expression), task.held_out_labels).detach())


def test_meta_sgd_moves_rates_along_the_gradient_of_the_held_out_loss(network, tasks):
    # Oracle: central differences of the held-out loss by single rates, through all inner steps.
    start = {f"encoder.{n}": w.detach().clone() for n, w in network.encoder.named_parameters()}
    rates = {name: torch.full_like(weight, SETTINGS.inner_learning_rate) for name, weight in start.items()}
    moved = meta_sgd.step(network, start, rates, tasks[1], SETTINGS, 5)
    steps, slopes = [], []
    generator = np.random.default_rng(2)
    for name in rates:
        change = (moved[name] - rates[name]).flatten()
        for index in generator.choice(change.numel(), min(4, change.numel()), replace=False):
            losses = []
            for shift in (1e-4, -1e-4):
                other = {key: rate.clone() for key, rate in rates.items()}
                other[name].view(-1)[index] += shift
                losses.append(held_out_loss(network, tasks[1], other, 5))
            slopes.append((losses[0] - losses[1]) / 2e-4)
            steps.append(float(change[index]))
    steps, slopes = np.array(steps), np.array(slopes)
    factor = (steps @ slopes) / (slopes @ slopes)
    assert factor < 0
    np.testing.assert_allclose(steps, factor * slopes, atol=1e-4 * np.abs(steps).max())


def test_meta_sgd_lowers_the_held_out_loss_and_gives_rates_between_zero_and_one(network, tasks):
    learned = meta_sgd.learn(network, tasks, SETTINGS, 5)
    assert max(float(rate.max()) for rate in learned.values()) == 1.0
    assert min(float(rate.min()) for rate in learned.values()) >= 0.0
    start = {f"encoder.{n}": w.detach().clone() for n, w in network.encoder.named_parameters()}
    rates = {name: torch.full_like(weight, SETTINGS.inner_learning_rate) for name, weight in start.items()}
    before = held_out_loss(network, tasks[0], rates, 5)
    for _ in range(3):
        rates = meta_sgd.step(network, start, rates, tasks[0], SETTINGS, 5)
    assert held_out_loss(network, tasks[0], rates, 5) < before


def test_aruba_equals_its_formula(network, tasks):
    learned = aruba.learn(network, tasks, SETTINGS, 5)
    start, ratio = dict(network.encoder.named_parameters()), {}
    ends = [scout_by_hand(network, task, SETTINGS.inner_steps, SETTINGS.inner_learning_rate, 5) for task in tasks]
    for name, weight in start.items():
        key, above, below = f"encoder.{name}", 0.0, 0.0
        for t, (end, gradients) in enumerate(ends):
            above = above + (end[key] - weight) ** 2 / 2 + aruba.SMALLEST_DISPLACEMENT**2 / (t + 1)
            below = below + sum(step[key] ** 2 for step in gradients) + aruba.SMALLEST_GRADIENT**2 / (t + 1)
        ratio[key] = (above / below).sqrt().detach()
    largest = max(float(value.max()) for value in ratio.values())
    for key, value in ratio.items():
        torch.testing.assert_close(learned[key], value / largest, rtol=1e-10, atol=0)


def test_protonet_equals_a_loop_with_distances_written_out(network, tasks):
    learned = protonet.learn(network, tasks, SETTINGS, 5)
    moving = copy.deepcopy(network)
    optimiser = torch.optim.SGD(moving.encoder.parameters(), lr=SETTINGS.inner_learning_rate)
    for _ in range(SETTINGS.passes):
        for task in tasks:
            train, asked = moving.encoder(task.train_expression), moving.encoder(task.held_out_expression)
            means = [train[task.train_labels == c].mean(dim=0) for c in range(int(task.train_labels.max()) + 1)]
            logits = torch.stack([-((asked - mean) ** 2).sum(dim=1) for mean in means], dim=1)
            optimiser.zero_grad()
            cross_entropy(logits, task.held_out_labels).backward()
            optimiser.step()
    for name, weight in moving.encoder.named_parameters():
        torch.testing.assert_close(learned[f"encoder.{name}"], weight.detach(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", registry.names("guide.meta"))
def test_meta_learning_leaves_the_base_as_it_was_and_is_repeatable(name, network, tasks):
    before = {key: weight.detach().clone() for key, weight in network.named_parameters()}
    learn = registry.load("guide.meta", name).learn
    one, two = learn(network, tasks, SETTINGS, 5), learn(network, tasks, SETTINGS, 5)
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert set(one) == {f"encoder.{key}" for key, _ in network.encoder.named_parameters()}
    assert all(torch.equal(weight, before[key]) for key, weight in network.named_parameters())


def test_a_learner_that_diverges_is_named_with_the_key_to_change(network, tasks):
    wild = dataclasses.replace(SETTINGS, inner_learning_rate=1e200)
    learned = reptile.learn(network, tasks, wild, 5)
    with pytest.raises(InputError, match=r"guide\.meta\.inner_learning_rate: reptile diverged at 1e\+200 \(encoder\."):
        check_learned(learned, "reptile", wild)
    check_learned(reptile.learn(network, tasks, SETTINGS, 5), "reptile", SETTINGS)

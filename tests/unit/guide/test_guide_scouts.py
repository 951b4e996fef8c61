"""Scouts: true copies of the base, displacement as computed by hand, sums that no order or partition changes."""

import copy
import dataclasses
import hashlib

import numpy as np
import pandas as pd
import pytest
import torch
from scarceseq.errors import InputError
from scarceseq.guide import scouts
from scarceseq.guide.block_samples import samples_of_block
from scarceseq.guide.displacement import mean_over_scouts
from scarceseq.guide.guides import GUIDES, make_guide
from scarceseq.guide.plan import plan_scouts
from scarceseq.guide.scouts import train_block, train_scout
from scarceseq.guide.stacked import stacks
from scarceseq.pretrain.classifier import make_classifier
from scarceseq.pretrain.samples import read_matrix
from scarceseq.seeds import derive
from small_corpus import small_expression, write_corpus

NO_LABELS = pd.DataFrame(columns=["sample", "key", "value"])


def all_tasks(matrix, base, settings):
    plan = plan_scouts(matrix, NO_LABELS, base, settings, 1)
    return list(samples_of_block(plan, "block_0", 1000, matrix, base))


def digest(network):
    values = b"".join(weight.numpy().tobytes() for weight in network.state_dict().values())
    return hashlib.sha256(values).hexdigest()


def by_hand(base, task, settings, seed):
    """SGD with momentum, written out: v <- momentum v + gradient, w <- w - rate v."""
    classifier = make_classifier(base.network, 2, derive(seed, "head")).train()
    speed = {name: torch.zeros_like(weight) for name, weight in classifier.named_parameters()}
    generator = torch.Generator().manual_seed(derive(seed, "batches"))
    for _ in range(settings.steps):
        batch = torch.randperm(len(task.train_labels), generator=generator)[: settings.batch_samples]
        loss = torch.nn.functional.cross_entropy(classifier(task.train_expression[batch]), task.train_labels[batch])
        classifier.zero_grad()
        loss.backward()
        with torch.no_grad():
            for name, weight in classifier.named_parameters():
                speed[name] = settings.momentum * speed[name] + weight.grad
                weight -= settings.learning_rate * speed[name]
    return classifier


def test_displacement_is_the_one_computed_by_hand(matrix, base, settings):
    tasks = all_tasks(matrix, base, settings)
    displacement, outcomes = train_block(base.network, tasks, settings, 4)
    assert all(outcome["kept"] for outcome in outcomes)
    expected = {}
    for task in tasks:
        classifier = by_hand(base, task, settings, derive(4, "scout", task.scout))
        for name, weight in base.network.named_parameters():
            if name.startswith("encoder."):
                moved = classifier.get_parameter(name).detach().numpy().astype(float) - weight.detach().numpy()
                expected.setdefault(name, []).append(moved)
    assert set(expected) == set(displacement.moved)
    absolute, _ = train_block(base.network, tasks, dataclasses.replace(settings, displacement="absolute"), 4)
    for name, moves in expected.items():
        np.testing.assert_allclose(displacement.moved[name], np.square(moves).sum(axis=0), rtol=1e-3, atol=1e-9)
        np.testing.assert_allclose(absolute.moved[name], np.abs(moves).sum(axis=0), rtol=1e-3, atol=1e-6)


def test_fisher_is_the_squared_gradient_of_the_first_step(matrix, base, settings):
    tasks = all_tasks(matrix, base, settings)
    displacement, _ = train_block(base.network, tasks, settings, 4)
    one_step, _ = train_block(base.network, tasks, dataclasses.replace(settings, steps=1), 4)
    for name, total in displacement.fisher.items():
        moved = one_step.moved[name] / settings.learning_rate**2  # one step of SGD goes the gradient times the rate
        torch.testing.assert_close(total, moved, rtol=1e-3, atol=1e-6 * float(total.max()))


@pytest.mark.parametrize("displacement", ["squared", "absolute"])
@pytest.mark.parametrize("head", ["free", "scouts"])
def test_scouts_that_are_trained_at_once_move_as_each_does_alone(matrix, base, settings, displacement, head):
    chosen = dataclasses.replace(
        settings, displacement=displacement, head=head, steps=20, minimum_held_out_accuracy=0.0
    )
    base = dataclasses.replace(base, network=copy.deepcopy(base.network).double())
    tasks = [as_double(task) for task in all_tasks(matrix, base, chosen)]
    some = tasks[1]  # of fewer samples than the others, and all of them in every batch
    few = [0, 1, 2, -2, -1]  # of both classes
    tasks[1] = dataclasses.replace(
        some, train_expression=some.train_expression[few], train_labels=some.train_labels[few]
    )
    three = dataclasses.replace(tasks[2], scout=99, train_labels=torch.arange(len(tasks[2].train_labels)) % 3)
    tasks.insert(3, three)  # of another number of classes
    tasks = tasks if head == "free" else [task for task in tasks if task.scout != 99]
    before = digest(base.network)
    alone, outcomes = train_block(base.network, tasks, chosen, 4)
    together, stacked_outcomes = train_block(base.network, tasks, chosen, 4, stacked=True)
    assert digest(base.network) == before
    assert stacked_outcomes == outcomes
    assert {len(task.train_labels) > chosen.batch_samples for task in tasks} == {True, False}
    for group in ("moved", "fisher"):
        found, expected = getattr(together, group), getattr(alone, group)
        assert found.keys() == expected.keys()
        assert ("head.weight" in found) == (head == "scouts")
        for name, total in expected.items():
            torch.testing.assert_close(found[name], total, rtol=1e-9, atol=1e-12 * float(total.max()))


def as_double(task):
    rows = {name: getattr(task, name).double() for name in ("train_expression", "held_out_expression")}
    return dataclasses.replace(task, **rows)


def test_adamw_scouts_and_networks_that_mix_genes_first_are_not_stacked(matrix, base, settings):
    assert stacks(base.network, settings)
    adamw = dataclasses.replace(settings, optimiser="adamw")
    assert not stacks(base.network, adamw)
    with pytest.raises(ValueError, match="exact for SGD, not for adamw"):
        train_block(base.network, all_tasks(matrix, base, settings), adamw, 4, stacked=True)


def test_heads_are_counted_if_the_scheme_says_so(matrix, base, settings):
    tasks = all_tasks(matrix, base, settings)
    displacement, _ = train_block(base.network, tasks, dataclasses.replace(settings, head="scouts"), 4)
    assert displacement.moved["head.weight"].shape == (2, base.network.width)
    assert displacement.moved["head.weight"].min() > 0


def test_adamw_scouts_move_as_far_as_their_rate_lets_them(matrix, base, settings):
    adamw = dataclasses.replace(settings, optimiser="adamw", learning_rate=0.01, steps=1, displacement="absolute")
    displacement, outcomes = train_block(base.network, all_tasks(matrix, base, settings), adamw, 4)
    moved = displacement.moved["encoder.linear.bias"] / len(outcomes)
    np.testing.assert_allclose(moved, 0.01, rtol=1e-3)  # the first step of Adam is the learning rate


def test_base_is_unchanged_and_no_guide_is_zero(matrix, base, settings):
    before = digest(base.network)
    displacement, _ = train_block(base.network, all_tasks(matrix, base, settings), settings, 4)
    assert digest(base.network) == before
    means = {"moved": displacement.moved, "fisher": displacement.fisher}
    for name in GUIDES:
        # the hidden layers of an untrained base start at no effect, so that their first gradient is 0
        reached = {"encoder.linear.weight", "encoder.output.weight"} if name == "fisher" else set(displacement.moved)
        assert all(values.max() > 0 for key, values in make_guide(name, means, settings).items() if key in reached)
    # weights of a gene that never varies get no gradient and must not move
    for name in ("encoder.linear.weight", "encoder.hidden.0.weight"):
        assert displacement.moved[name][:, 7].max() == 0


def test_order_of_scouts_does_not_matter(matrix, base, settings):
    tasks = all_tasks(matrix, base, settings)
    forward, outcomes = train_block(base.network, tasks, settings, 4)
    backward, reversed_outcomes = train_block(base.network, tasks[::-1], settings, 4)
    assert outcomes == reversed_outcomes[::-1]
    for name, total in forward.moved.items():
        np.testing.assert_allclose(total, backward.moved[name], rtol=1e-12)


def test_partition_into_blocks_does_not_matter(matrix, base, settings, tmp_path):
    plan = plan_scouts(matrix, NO_LABELS, base, settings, 1)
    means, kept = {}, {}
    for size in (1, 2, 5):
        paths = [tmp_path / f"{size}_{block}.safetensors" for block in range(-(-settings.scouts // size))]
        count = 0
        for block, path in enumerate(paths):
            tasks = samples_of_block(plan, f"block_{block}", size, matrix, base)
            displacement, outcomes = train_block(base.network, tasks, settings, 4)
            displacement.save(path)
            count += len(outcomes)
        means[size], kept[size] = mean_over_scouts(paths, count, "moved"), count
    assert set(kept.values()) == {5}
    for size in (1, 2):
        for name, mean in means[5].items():
            np.testing.assert_allclose(means[size][name], mean, rtol=1e-12)


def test_block_beyond_the_last_scout_is_empty(matrix, base, settings):
    plan = plan_scouts(matrix, NO_LABELS, base, settings, 1)
    displacement, outcomes = train_block(base.network, samples_of_block(plan, "block_9", 2, matrix, base), settings, 4)
    assert outcomes == []
    assert all(total.abs().sum() == 0 for total in displacement.moved.values())


def test_failed_scouts_are_left_out_of_the_sums(matrix, base, settings, monkeypatch):
    tasks = all_tasks(matrix, base, settings)
    strict = dataclasses.replace(settings, minimum_held_out_accuracy=0.9)
    held_out = {id(task.held_out_labels): 0.5 if task.scout == 2 else 1.0 for task in tasks}
    monkeypatch.setattr(scouts, "accuracy", lambda _, __, labels: held_out.get(id(labels), 1.0))
    some, outcomes = train_block(base.network, tasks, strict, 4)
    without, _ = train_block(base.network, [task for task in tasks if task.scout != 2], strict, 4)
    assert [outcome["kept"] for outcome in outcomes] == [True, True, False, True, True]
    assert all(torch.equal(total, without.moved[name]) for name, total in some.moved.items())


def test_scout_whose_weights_are_not_finite_is_dropped(matrix, base, settings):
    wild = dataclasses.replace(settings, learning_rate=1e38)
    displacement, outcomes = train_block(base.network, all_tasks(matrix, base, wild), wild, 4)
    assert not any(outcome["kept"] for outcome in outcomes)
    assert all(total.isfinite().all() for total in displacement.moved.values())


def test_scouts_learn_their_task(matrix, base, settings):
    task = all_tasks(matrix, base, settings)[0]
    longer = dataclasses.replace(settings, steps=60)
    classifier = train_scout(base.network, task, longer, 1).classifier
    assert scouts.accuracy(classifier, task.train_expression, task.train_labels) == 1.0


def test_scout_starts_from_the_base_and_moves_a_copy_of_it(matrix, base, settings):
    scout = train_scout(base.network, all_tasks(matrix, base, settings)[0], settings, 1)
    for name, weight in base.network.encoder.named_parameters():
        assert torch.equal(scout.start[f"encoder.{name}"], weight)
        assert weight.data_ptr() != scout.classifier.encoder.get_parameter(name).data_ptr()
    assert not torch.equal(scout.start["head.weight"], scout.classifier.head.weight)


def test_values_of_test_and_validation_studies_change_no_scout_and_no_guide(matrix, base, settings, tmp_path):
    expression, studies = small_expression()
    rows = matrix.rows(["validation", "test"])
    expression[rows] = np.random.default_rng(0).permuted(expression[rows], axis=1)
    changed = read_matrix(*write_corpus(tmp_path / "changed", expression, studies), "default")
    results = []
    for name, source in (("before", matrix), ("after", changed)):
        plan = plan_scouts(source, NO_LABELS, base, settings, 1)
        displacement, _ = train_block(base.network, samples_of_block(plan, "block_0", 9, source, base), settings, 4)
        displacement.save(tmp_path / name)
        results.append((plan.to_csv(), (tmp_path / name).read_bytes()))
    assert results[0] == results[1]


def test_plan_with_an_unknown_sample_is_refused(matrix, base, settings):
    plan = pd.DataFrame({"scout": [0], "sample": ["nobody"], "label": [0], "part": ["train"]})
    with pytest.raises(InputError, match="sample nobody is not in the corpus"):
        list(samples_of_block(plan, "block_0", 2, matrix, base))

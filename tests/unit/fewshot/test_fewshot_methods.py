"""Registry entries: what each starts from, how its weights may move, and which file it needs."""

import dataclasses
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from every_method import NAMES, TRAINED
from scarceseq import registry
from scarceseq.config import former_names, method_names
from scarceseq.config.candidates import candidates
from scarceseq.errors import InputError
from scarceseq.fewshot import refusals
from scarceseq.fewshot.compose import compose
from scarceseq.fewshot.engine import adapters, fisher, rates, starts
from scarceseq.fewshot.engine.rate_inputs import RateInputs, layers
from scarceseq.fewshot.method import Estimator, FineTuning
from scarceseq.fewshot.settings import Candidates, FewshotSection, Fitting
from scarceseq.guide.guides import GUIDES
from scarceseq.pretrain.classifier import make_classifier
from scarceseq.seeds import derive


@pytest.fixture
def setting(world, guide):
    """Base and guide; two classes."""
    return RateInputs(world.base, starts.pretrained_start(world.base, 2, 0), guide, 1)


def some_setting(guide, genes, **changed):
    """A setting whose encoder has tensors like the guide's, and nothing else that a rate reads."""
    named = {name: torch.zeros(values.shape) for name, values in guide.items()}
    classifier = SimpleNamespace(named_parameters=named.items)
    base = SimpleNamespace(gene_ids=list(range(genes)), scale=changed.pop("scale", None))
    return RateInputs(base, classifier, guide, 1, **changed)


@pytest.mark.parametrize("name", NAMES)
def test_what_a_name_says_of_files_and_candidates_is_there(name):
    method_names.check("fewshot.methods", name)
    needed = method_names.learned(name)
    if needed is not None:
        key, learned = needed.split("/")
        assert learned in (registry.names("guide.meta") if key == "meta" else GUIDES)
        assert key in ("meta", *FewshotSection.__dataclass_fields__)
    assert method_names.candidates_key(name) in Candidates.__dataclass_fields__


@pytest.mark.parametrize("name", NAMES)
def test_the_planner_and_the_method_agree(name):
    """Oracle: the composed method itself, which the planner does not import."""
    method, entries = compose(name), dict(method_names.entries([name]))
    trained = isinstance(method, FineTuning)
    assert (name in TRAINED) == trained == bool(entries[method_names.FINE_TUNING])
    assert trained == (not entries[method_names.CLASSIFIERS]) == (not entries[method_names.FEATURES])
    if trained:
        assert (method_names.candidates_key(name) == "learning_rate") == (method.optimiser == "sgd")
    assert method.learned_encoder == ((method_names.learned(name) or "") in ("meta/reptile", "meta/protonet"))


def test_methods_are_composed_of_what_their_names_say():
    logistic, pca = (
        registry.load(f"fewshot.{kind}", name) for kind, name in (("classifiers", "logistic"), ("features", "pca"))
    )
    method = compose("logistic@pca")
    assert method == Estimator(pca.prepare, logistic.probabilities, reference=True)
    assert compose("guided@global") == compose("guided@per_tensor") == FineTuning(rate=rates.guide_rate)
    assert compose("full_fine_tuning@reptile") == FineTuning(learned_encoder=True)
    assert compose("knn@reptile").prepare is registry.load("fewshot.features", "embedding").prepare
    assert [method_names.sees_network(name) for name in ("knn@genes", "knn@pca", "knn@embedding", "knn@protonet")] == [
        *(False, False, True, True)
    ]
    assert method_names.sees_network("linear_probe")
    assert method_names.entries(["knn@genes", "l2_sp", "knn@protonet"]) == [
        *(("fewshot.classifiers", ""), ("fewshot.classifiers", "knn")),
        *(("fewshot.features", ""), ("fewshot.features", "embedding"), ("fewshot.features", "genes")),
        *(("fewshot.fine_tuning", ""), ("fewshot.fine_tuning", "l2_sp")),
    ]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("embedding_logistic", "`embedding_logistic` is now called `logistic@embedding`"),
        ("paper_literal", "`paper_literal` is now called `paper_literal@per_tensor`"),
        ("magic", "'magic' is no method; known fine-tuning: adamw_fine_tuning"),
        (
            "logistic",
            "'logistic' is no method, logistic needs one of the features behind an @; known: embedding, floored_genes",
        ),
        ("logistic@", "logistic needs one of the features behind an @"),
        ("logistic@per_tensor", "'per_tensor' is none of the features; known: .*ranks.*protonet"),
        ("logistic@aruba", "'aruba' is none of the features"),
        ("guided@reptile", "'reptile' is none of the guides; known: per_tensor, global"),
        ("top_share@genes", "'genes' is none of the guides"),
        ("l2_sp@per_tensor", "'per_tensor' is none of the learned encoders; known: protonet, reptile"),
    ],
)
def test_names_of_no_method_are_refused_with_what_there_is(name, message):
    with pytest.raises(InputError, match=f"^config key fewshot.methods: .*{message}"):
        method_names.check("fewshot.methods", name)


def test_every_renamed_method_is_one_and_its_former_name_is_refused():
    for name, former in former_names.METHODS.items():
        method_names.check("here", name)
        with pytest.raises(InputError, match=f"`{former}` is now called `{name}`"):
            method_names.check("here", former)


def test_every_method_tries_equally_many_candidates_by_default():
    fitting = dataclasses.asdict(Fitting())
    tried = {key: candidates(fitting, key) for key in fitting["candidates"]}
    assert {len(pairs) for pairs in tried.values()} == {6}
    assert tried["learning_rate"][:3] == [[0.01, 30], [0.01, 100], [0.001, 30]]
    assert tried["neighbours"][:2] == [[1, 0], [3, 0]]
    assert all(len({tuple(pair) for pair in pairs}) == 6 for pairs in tried.values())


def test_planning_what_a_method_needs_does_not_import_torch():
    code = (
        "import sys; from scarceseq.config import method_names as m; "
        "m.check('x', 'guided@global'); m.learned('guided@global'); m.entries(['knn@pca']); m.sees_network('knn@pca'); "
    )
    code += "sys.exit('torch' in sys.modules or 'sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}).returncode == 0


def test_engine_and_rates_import_with_torch_numpy_and_safetensors_alone():
    others = ("pandas", "sklearn", "pyarrow", "anndata", "scipy", "numba")
    code = f"import sys; sys.modules.update(dict.fromkeys({others}))\n"
    code += "import scarceseq.fewshot.engine.fitting, scarceseq.fewshot.engine.rates, scarceseq.fewshot.engine.starts"
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}).returncode == 0


@pytest.mark.parametrize("name", [name for name in TRAINED if name != "scratch"])
def test_every_gradient_method_but_scratch_starts_from_the_base(name, world):
    method = compose(name)
    expression = torch.randn(4, len(world.gene_ids))
    with torch.no_grad():
        started = method.start(world.base, 3, 5).encoder(expression)
        assert torch.equal(started, world.base.network.encoder(expression))


def test_scratch_draws_other_encoder_same_head_and_leaves_global_generator_alone(world):
    torch.manual_seed(0)
    state = torch.get_rng_state()
    drawn, again, other = (starts.random_start(world.base, 3, seed) for seed in (5, 5, 6))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(drawn.head.weight, starts.pretrained_start(world.base, 3, 5).head.weight)
    assert torch.equal(drawn.head.weight, make_classifier(world.base.network, 3, 5).head.weight)
    first, same, elsewhere, trained = (
        next(weight for weight in network.encoder.parameters() if weight.ndim == 2)
        for network in (drawn, again, other, world.base.network)
    )
    assert torch.equal(first, same)
    assert not torch.equal(first, elsewhere)
    assert not torch.equal(first, trained)


def test_mean_rates_equal_hand_computed_means():
    guide = {"encoder.a": torch.tensor([0.0, 1.0]), "encoder.b": torch.tensor([[0.1, 0.1, 0.1, 0.1]])}
    scalar = rates.mean_rate(some_setting(guide, 9))
    assert scalar["encoder.a"] == scalar["encoder.b"] == pytest.approx((1.0 + 0.4) / 6)
    assert rates.tensor_mean_rate(some_setting(guide, 9)) == pytest.approx({"encoder.a": 0.5, "encoder.b": 0.1})


def test_guide_for_the_head_is_that_of_every_class(setting):
    head = {"head.weight": torch.rand(1, 8), "head.bias": torch.rand(1)}
    guided = dataclasses.replace(setting, guide=setting.guide | head)
    assert set(rates.guide_rate(guided)) == {*setting.encoder, *head}
    assert set(rates.guide_rate(setting)) == set(setting.encoder)
    assert set(rates.inverse_guide_pull(guided, strength=1.0)) == set(setting.encoder)
    assert rates.tensor_mean_rate(guided)["head.bias"] == pytest.approx(float(head["head.bias"]))


def test_permuted_guide_keeps_each_tensors_values_in_another_order(setting):
    permuted = rates.permuted_rate(setting)
    for name, values in permuted.items():
        assert values.shape == setting.guide[name].shape
        assert torch.equal(values.flatten().sort().values, setting.guide[name].flatten().sort().values)
    assert not all(torch.equal(permuted[name], setting.guide[name]) for name in setting.guide)
    again = rates.permuted_rate(setting)
    assert all(torch.equal(permuted[name], again[name]) for name in setting.guide)


def test_permutation_within_genes_keeps_each_genes_values(setting):
    permuted = rates.permuted_within_gene_rate(setting)
    for name in ("encoder.linear.weight", "encoder.hidden.0.weight"):
        assert not torch.equal(permuted[name], setting.guide[name])
        assert torch.equal(permuted[name].sort(dim=0).values, setting.guide[name].sort(dim=0).values)


def test_rates_made_from_a_guide_by_hand():
    guide = {"encoder.w": torch.tensor([[0.0, 0.2, 0.4], [0.2, 0.4, 0.6]]), "encoder.b": torch.tensor([0.9, 0.2, 0.6])}
    setting = some_setting(guide, 3)
    torch.testing.assert_close(rates.inverse_guide_rate(setting)["encoder.b"], torch.tensor([0.1, 0.8, 0.4]))
    # sums 1.8 and 1.7: the two largest of each tensor
    top = rates.top_share_rate(setting)
    assert top["encoder.w"].tolist() == [[0, 0, 1], [0, 0, 1]], "of the two 0.4, the first"
    assert top["encoder.b"].tolist() == [1, 0, 1]
    # unit means 0.2 and 0.4, gene means 0.1, 0.3, 0.5, mean 0.3
    product = torch.tensor([[0.02, 0.06, 0.10], [0.04, 0.12, 0.20]]) / 0.3
    rank_one = rates.rank_one_rate(setting)
    torch.testing.assert_close(rank_one["encoder.w"], product)
    assert torch.equal(rank_one["encoder.b"], guide["encoder.b"])
    spread = rates.gene_variance_rate(some_setting(guide, 3, scale=torch.tensor([1.0, 2.0, 3.0])))
    torch.testing.assert_close(spread["encoder.w"], torch.tensor([[0.0, 3 / 8, 1.0]]))
    assert spread["encoder.b"] == 1.0


def test_pulls_by_hand():
    guide = {"encoder.w": torch.tensor([[0.99, 0.09]]), "encoder.b": torch.tensor([0.49, 0.0])}
    pull = rates.inverse_guide_pull(some_setting(guide, 2), strength=3.0)
    raw = np.array([1.0, 10.0, 2.0, 100.0])
    found = [*pull["encoder.w"].flatten().tolist(), *pull["encoder.b"].tolist()]
    np.testing.assert_allclose(found, raw * 3.0 / raw.mean(), rtol=1e-5)


def test_layers_run_from_the_genes_to_the_head_and_decay_with_the_distance(setting):
    first = ["linear.weight", "linear.bias", "hidden.0.weight", "hidden.0.bias", "hidden.1.weight", "hidden.1.bias"]
    expected = [{f"encoder.{name}" for name in first}, {"encoder.output.weight"}]
    assert [set(layer) for layer in layers(setting.classifier, setting.genes)] == expected
    decayed = rates.decayed_rate(setting, decay=0.5)
    assert decayed == {name: 0.25 for name in expected[0]} | {"encoder.output.weight": 0.5}
    last = rates.last_layers_rate(setting, count=1)
    assert last == {name: 0.0 for name in expected[0]} | {"encoder.output.weight": 1.0}
    assert rates.last_layers_rate(setting, count=5) == last, "what reads the genes is never among the last layers"
    assert {name for name, rate in rates.vector_rate(setting).items() if rate} == {
        f"encoder.{name}" for name in ("linear.bias", "hidden.0.bias", "hidden.1.weight", "hidden.1.bias")
    }


@pytest.mark.parametrize("expected", [True, False])
def test_fisher_information_of_a_support_equals_gradients_of_single_samples(setting, expected):
    torch.manual_seed(2)
    torch.nn.init.normal_(setting.base.network.encoder.output.weight)
    support, classes = torch.randn(5, 40), torch.tensor([0, 1, 1, 0, 1])
    found = fisher.support_fisher(dataclasses.replace(setting, support=support, classes=classes), expected)
    classifier = setting.classifier.requires_grad_()
    by_hand = {name: torch.zeros_like(weight) for name, weight in setting.encoder.items()}
    for row, label in zip(support, classes, strict=True):
        logs = classifier(row[None]).log_softmax(dim=1)[0]
        for outcome in (0, 1) if expected else (label,):
            classifier.zero_grad()
            logs[outcome].backward(retain_graph=True)
            weight = float(logs[outcome].detach().exp()) if expected else 1.0
            for name, parameter in classifier.encoder.named_parameters():
                by_hand[f"encoder.{name}"] += weight * parameter.grad**2 / len(support)
    for name, values in by_hand.items():
        torch.testing.assert_close(found[name], values, rtol=1e-4, atol=1e-7)
    mask = rates.largest_fisher_rate(
        dataclasses.replace(setting, support=support, classes=classes), share=0.1, expected=expected
    )
    chosen, others = (torch.cat([found[n][mask[n] == flag] for n in found]) for flag in (1.0, 0.0))
    assert len(chosen) == round(0.1 * (len(chosen) + len(others)))
    assert chosen.min() >= others.max()


def test_fisher_information_of_the_source_is_the_mean_squared_gradient_of_single_samples(setting):
    reference = np.random.default_rng(1).normal(size=(6, 40)).astype(np.float32)
    found = fisher.source_fisher(dataclasses.replace(setting, reference=reference))
    name = "encoder.linear.bias"
    assert set(found) == set(setting.encoder)
    generator = np.random.default_rng(derive(setting.seed, "fisher"))
    generator.choice(6, 6, replace=False)
    total = 0
    for row in reference:
        mask = torch.from_numpy(generator.random((1, 40)) < fisher.MASK_SHARE)
        rebuilt = setting.base.network(torch.from_numpy(row[None]), mask)
        loss = ((rebuilt - torch.from_numpy(row[None])) ** 2)[mask].mean()
        total += torch.autograd.grad(loss, setting.base.network.encoder.linear.bias)[0] ** 2
    torch.testing.assert_close(found[name], total / 6)
    pull = rates.fisher_pull(dataclasses.replace(setting, reference=reference), strength=0.1)
    everything = torch.cat([values.flatten() for values in pull.values()])
    assert float(everything.mean()) == pytest.approx(0.1, rel=1e-4)


def test_adapters_start_as_the_encoder_and_move_within_a_low_rank(world):
    encoder = world.base.network.encoder
    copy = adapters.adapted(encoder, 2, 2.0, 1)
    assert copy.linear.base is encoder.linear
    with torch.no_grad():
        copy.linear.up.weight.normal_()
        moved = copy.linear(torch.eye(40)) - encoder.linear(torch.eye(40))
    assert torch.linalg.matrix_rank(moved, atol=1e-5) == 2
    expected = copy.linear.up.weight @ copy.linear.down.weight  # scale / rank is 1
    torch.testing.assert_close(moved.T, expected.detach(), rtol=1e-3, atol=1e-5)


def test_guide_of_another_base_is_refused(setting):
    encoder, guide = setting.encoder, setting.guide
    refusals.check_guide(guide, encoder, 8, "g")
    name = next(iter(encoder))
    with pytest.raises(InputError, match=f"g: tensors do not match.*{name}"):
        refusals.check_guide({n: v for n, v in guide.items() if n != name}, encoder, 8, "g")
    with pytest.raises(InputError, match=rf"{name} has shape \(3,\)"):
        refusals.check_guide(guide | {name: torch.zeros(3)}, encoder, 8, "g")
    head = {"head.weight": torch.ones(1, 8), "head.bias": torch.ones(1)}
    refusals.check_guide(guide | head, encoder, 8, "g")
    with pytest.raises(InputError, match=r"head.weight has shape \(2, 8\)"):
        refusals.check_guide(guide | head | {"head.weight": torch.ones(2, 8)}, encoder, 8, "g")
    for wrong in (float("nan"), float("inf"), -0.1):
        with pytest.raises(InputError, match=r"has values that are not finite|has negative values"):
            refusals.check_guide(guide | {name: torch.full_like(guide[name], wrong)}, encoder, 8, "g")

"""The transformer: attention against its closed form, nothing masked is seen, and it serves guides and few-shot."""

import dataclasses

import numpy as np
import pytest
import torch
from scarceseq.fewshot.compose import compose
from scarceseq.fewshot.engine.loop import Engine, make_triple
from scarceseq.fewshot.engine.rate_inputs import RateInputs
from scarceseq.fewshot.engine.updates import Schedule
from scarceseq.guide.guides import gene_mobility, make_guide
from scarceseq.guide.scout_data import ScoutSamples
from scarceseq.guide.scouts import train_block
from scarceseq.guide.settings import SchemeSettings
from scarceseq.pretrain.architectures import transformer
from scarceseq.pretrain.masking import draw_mask
from scarceseq.pretrain.model import load_base, save_base
from scarceseq.pretrain.run import initial_base
from scarceseq.pretrain.samples import read_matrix
from scarceseq.pretrain.settings import PretrainSettings
from small_corpus import small_expression, write_corpus

GENES = 12
SETTINGS = {"width": 4, "depth": 2, "heads": 2, "token_width": 8, "expression_bins": 5}


def network(attention="flash", **changes):
    torch.manual_seed(0)
    mean, scale = torch.linspace(0, 8, GENES), torch.linspace(0.5, 2, GENES)
    return transformer.build(mean, scale, SETTINGS | {"attention": attention} | changes)


def queries_keys_values():
    generator = torch.Generator().manual_seed(1)
    return (torch.randn(3, 2, 9, 5, generator=generator, dtype=torch.float64) for _ in range(3))


def test_linear_attention_is_its_quadratic_form():
    queries, keys, values = queries_keys_values()
    one, two = (torch.nn.functional.elu(part) + 1 for part in (queries, keys))
    weights = torch.einsum("shqd,shkd->shqk", one, two)
    expected = torch.einsum("shqk,shkd->shqd", weights / weights.sum(dim=3, keepdim=True), values)
    torch.testing.assert_close(transformer.linear_attention(queries, keys, values), expected, rtol=1e-12, atol=1e-12)


def test_flash_attention_is_softmax_attention():
    queries, keys, values = queries_keys_values()
    weights = torch.softmax(torch.einsum("shqd,shkd->shqk", queries, keys) / 5**0.5, dim=3)
    expected = torch.einsum("shqk,shkd->shqd", weights, values)
    torch.testing.assert_close(transformer.ATTENTION["flash"](queries, keys, values), expected)


@pytest.mark.parametrize("attention", transformer.ATTENTION)
def test_masked_values_change_neither_embedding_nor_reconstruction(attention):
    generator = torch.Generator().manual_seed(2)
    expression = torch.randn(6, GENES, generator=generator)
    mask = draw_mask(6, GENES, 0.4, 2)
    other = torch.where(mask, expression + 5, expression)
    untrained = network(attention)
    for one, two in zip(untrained.outputs(expression, mask), untrained.outputs(other, mask), strict=True):
        assert torch.equal(one, two)
    assert not torch.equal(untrained.embed(expression), untrained.embed(other)), "unmasked, the change is seen"


def test_expression_is_binned_by_whole_log2_units_up_to_the_highest_bin():
    encoder = network().encoder
    seen = []
    encoder.of_bin.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    logarithms = torch.tensor([[0.0, 0.4, 1.0, 1.9, 2.0, 3.5, 4.99, 5.0, 9.0, 17.0, 0.0, 3.0]])
    mask = torch.zeros(1, GENES, dtype=torch.bool)
    mask[0, 11] = True
    encoder.tokens((logarithms - encoder.mean) / encoder.scale, mask)
    assert seen[0].tolist() == [[0, 0, 1, 1, 2, 3, 4, 5, 5, 5, 0, 6]]
    assert encoder.of_bin.num_embeddings == 7, "scBERT's seven tokens"


def test_genes_are_told_apart_by_their_learned_vectors_alone():
    untrained = network()
    expression = torch.zeros(1, GENES)
    tokens = untrained.encoder.tokens(expression, torch.ones(1, GENES, dtype=torch.bool))
    assert not torch.allclose(tokens[0, 0], tokens[0, 1])
    with torch.no_grad():
        untrained.encoder.of_gene.zero_()
    tokens = untrained.encoder.tokens(expression, torch.ones(1, GENES, dtype=torch.bool))
    torch.testing.assert_close(tokens[0, 0], tokens[0, 1])


def test_defaults_of_the_config_are_those_of_scbert():
    expected = {"depth": 6, "heads": 10, "token_width": 200, "expression_bins": 5}
    assert {key: getattr(PretrainSettings, key) for key in expected} == expected


@pytest.fixture
def base(tmp_path, settings):
    matrix = read_matrix(*write_corpus(tmp_path / "corpus", *small_expression()), "default")
    changed = dataclasses.replace(settings, architecture="transformer")
    return initial_base(matrix, changed, 3, torch.device("cpu"))


def test_a_saved_transformer_embeds_equally(base, tmp_path):
    save_base(base, tmp_path / "model.safetensors", tmp_path / "model.json")
    again = load_base(tmp_path / "model.safetensors", tmp_path / "model.json")
    values = torch.randn(4, len(base.gene_ids), generator=torch.Generator().manual_seed(3))
    assert torch.equal(base.network.eval().embed(values), again.network.embed(values))


def scouts():
    drawn = {"scheme": "cluster_pairs", "roles": ("pretrain",), "scouts": 2, "scouts_per_block": 2, "components": 5}
    drawn |= {"label": "", "classes_per_scout": 2, "reduction": "pca", "clusters": 2, "minimum_class_samples": 4}
    drawn |= {"samples_per_class": 8, "held_out_share": 0.25, "shuffle_labels": False}
    trained = {"optimiser": "sgd", "steps": 5, "batch_samples": 16, "learning_rate": 0.01, "momentum": 0.9}
    kept = {"minimum_held_out_accuracy": 0.0, "displacement": "squared", "head": "free", "normalisation": "min_max"}
    return SchemeSettings(**drawn, **trained, **kept, temperature="room", scale=1.0, sparse_below=0.0)


@pytest.fixture
def guide(base):
    """Per-tensor guide of one scout."""
    generator = torch.Generator().manual_seed(4)
    values, classes = torch.randn(16, len(base.gene_ids), generator=generator), torch.tensor([0, 1] * 8)
    tasks = [ScoutSamples(0, values[:12], classes[:12], values[12:], classes[12:])]
    displacement, outcomes = train_block(base.network, tasks, scouts(), 5)
    assert outcomes[0]["kept"]
    assert all(bool((moved > 0).any()) for moved in displacement.moved.values()), "every tensor moves"
    return make_guide("per_tensor", {"moved": displacement.moved}, scouts())


def test_the_guide_fits_the_encoder_and_says_how_mobile_genes_are(base, guide):
    encoder = {f"encoder.{name}": weight.shape for name, weight in base.network.encoder.named_parameters()}
    assert {name: values.shape for name, values in guide.items()} == encoder
    mobility = gene_mobility(guide, len(base.gene_ids))
    by_hand = [guide["encoder.of_gene"].double(), guide["encoder.output.weight"].double()]
    np.testing.assert_allclose(mobility, torch.cat(by_hand).mean(dim=0))


@pytest.mark.parametrize("name", ["full_fine_tuning", "guided@per_tensor"])
def test_a_few_shot_method_fits_it_as_a_plain_loop_does(base, guide, name):
    method = compose(name)
    generator = torch.Generator().manual_seed(5)
    support, query = (torch.randn(6, len(base.gene_ids), generator=generator) for _ in range(2))
    classes, rate, momentum, steps = torch.tensor([0, 1] * 3), 0.02, 0.9, 20
    classifier = method.start(base, 2, 6)
    setting = RateInputs(base, classifier, guide, 7)
    triple = make_triple(classifier, method.rate(setting), method.pull(setting))
    engine = Engine(classifier, triple, len(support), len(base.gene_ids), steps, dual=True)
    prepared = engine.prepare(triple, support, classes, query)
    found = engine.predict(prepared, engine.fit(prepared, Schedule(rate, momentum, steps)))

    plain = method.start(base, 2, 6)
    velocity = {key: torch.zeros_like(weight) for key, weight in plain.named_parameters()}
    for _ in range(steps):
        plain.zero_grad()
        torch.nn.functional.cross_entropy(plain(support), classes).backward()
        for key, weight in plain.named_parameters():
            velocity[key] = momentum * velocity[key] + weight.grad
            weight.data -= rate * triple.rate[key] * velocity[key]
    expected = torch.softmax(plain(query).double(), dim=1)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)
    assert not torch.allclose(found, torch.softmax(classifier(query).double(), dim=1), atol=1e-2), "it has learned"

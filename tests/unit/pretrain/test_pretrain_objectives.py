"""Each objective against a value computed another way, and what all of them have in common."""

import dataclasses

import numpy as np
import pytest
import torch
from scarceseq import registry
from scarceseq.corpus.transform import NOT_MEASURED, TRAINING_TYPE, log_tpm
from scarceseq.errors import InputError
from scarceseq.pretrain.embedding import embed_rows, tell_labels
from scarceseq.pretrain.masking import draw_mask
from scarceseq.pretrain.model import load_base, save_base
from scarceseq.pretrain.objectives import labels, masked_expression, study_adversary, study_differences
from scarceseq.pretrain.objectives import read_counts as read_counts_objective
from scarceseq.pretrain.run import initial_base, pretrain
from scarceseq.pretrain.samples import read_matrix
from scarceseq.pretrain.settings import Objectives
from scarceseq.pretrain.task import Batch, View, make_task
from scipy import stats
from sklearn.metrics import balanced_accuracy_score
from small_corpus import small_expression, write_corpus
from upstream_formulas import read_counts

ALL = {
    "masked_expression": {"weight": 1.0},
    "read_counts": {"weight": 0.1, "distribution": "negative_binomial"},
    "labels": {"weight": 0.5, "keys": ["tissue"], "minimum_studies": 2},
    "study_adversary": {"weight": 0.2, "strength": 1.0},
    "study_differences": {"weight": 0.3},
}
ARCHITECTURES = ("mlp", "transformer")


@pytest.fixture
def matrix(tmp_path):
    """The small corpus with a tissue for two samples of three; studies have both tissues."""
    plain = read_matrix(*write_corpus(tmp_path / "corpus", *small_expression()), "default")
    return with_tissue(plain, np.tile(["liver", "lung", ""], len(plain.samples))[: len(plain.samples)])


def with_tissue(matrix, values):
    return dataclasses.replace(matrix, attributes={"tissue": np.array(values, dtype=object)})


def task_of(matrix, settings, objectives=ALL, **changes):
    settings = dataclasses.replace(settings, objectives=objectives, **changes)
    base = initial_base(matrix, settings, 3, torch.device("cpu"))
    return base, make_task(base, matrix, matrix.rows(settings.roles), settings, 4)


def batch_of(matrix, base, rows):
    values = base.standardise(matrix.expression[rows])
    return Batch(rows, values, draw_mask(*values.shape, 0.4, 5))


def view(expression, mask, reconstruction):
    """What the reconstruction of a batch looks like to an objective."""
    samples = len(expression)
    return View(torch.arange(samples), expression, mask, torch.zeros(samples, 2), reconstruction)


def test_the_config_has_every_objective():
    assert sorted(Objectives.__dataclass_fields__) == registry.names("pretrain.objectives")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_each_loss_of_a_batch_is_the_mean_of_those_of_its_parts(matrix, settings, architecture):
    base, task = task_of(matrix, settings, architecture=architecture)
    batch = batch_of(matrix, base, np.arange(0, 60, 3))
    whole = task(batch)
    parts = [
        task(Batch(batch.samples[part], batch.expression[part], batch.mask[part]))
        for part in (slice(0, 5), slice(5, 10), slice(10, 15), slice(15, 20))
    ]
    assert set(whole) == {"loss", *ALL}
    for name, loss in whole.items():
        assert loss.item() == pytest.approx(np.mean([part[name].item() for part in parts]), rel=1e-5)
    assert whole["loss"].item() == pytest.approx(sum(ALL[n]["weight"] * whole[n].item() for n in ALL), rel=1e-6)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("name", ALL)
def test_every_trained_parameter_takes_part_in_every_loss(matrix, settings, architecture, name):
    base, task = task_of(matrix, settings, {name: ALL[name]}, architecture=architecture)
    unlabelled = np.array([2, 5, 8])  # whatever a batch holds
    task(batch_of(matrix, base, unlabelled))["loss"].backward()
    trained = [key for key, parameter in task.named_parameters() if parameter.requires_grad]
    assert [key for key in trained if task.get_parameter(key).grad is None] == []
    frozen = {key.split(".")[1] for key, parameter in task.named_parameters() if not parameter.requires_grad}
    assert ("decoder" in frozen) == (name in ("labels", "study_adversary", "study_differences"))
    assert not frozen & {"encoder"}


@pytest.mark.parametrize("samples", [6, 64, 150])
def test_gradient_flows_through_masked_genes_alone(samples):
    generator = torch.Generator().manual_seed(1)
    expression = torch.randn(samples, 12, generator=generator)
    mask = draw_mask(samples, 12, 0.4, 1)
    prediction = torch.randn(samples, 12, generator=generator, requires_grad=True)
    losses = masked_expression.MaskedExpression()(view(expression, mask, prediction))
    losses.mean().backward()
    assert torch.equal(prediction.grad != 0, mask)
    by_hand = [
        np.mean([(prediction[i, j] - expression[i, j]).item() ** 2 for j in mask[i].nonzero().flatten().tolist()])
        for i in range(samples)
    ]
    assert losses.tolist() == pytest.approx(by_hand, rel=1e-6)


@pytest.mark.parametrize("dispersion", [None, 0.05, 3.0])
def test_log_likelihood_is_that_of_torch_and_of_scipy(dispersion):
    generator = np.random.default_rng(2)
    expected = np.exp(generator.normal(4, 3, size=(40, 9)))
    reads = generator.poisson(expected * generator.gamma(2, 0.5, size=expected.shape)).astype(np.float64)
    reads[0] = 0
    dispersions = None if dispersion is None else torch.full((9,), dispersion, dtype=torch.float64)
    got = read_counts_objective.log_likelihood(torch.from_numpy(reads), torch.from_numpy(expected), dispersions)
    if dispersion is None:
        peer = torch.distributions.Poisson(torch.from_numpy(expected))
        oracle = stats.poisson.logpmf(reads, expected)
    else:
        odds = torch.from_numpy(dispersion * expected)
        peer = torch.distributions.NegativeBinomial(1 / dispersions, odds / (1 + odds))
        oracle = stats.nbinom.logpmf(reads, 1 / dispersion, 1 / (1 + dispersion * expected))
    np.testing.assert_allclose(got, peer.log_prob(torch.from_numpy(reads)), rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(got, oracle, rtol=1e-6, atol=1e-7)


def test_expected_tpm_is_positive_and_that_of_the_logarithm():
    tpm = torch.tensor([3.0, 50.0, 1e4], dtype=torch.float64)
    np.testing.assert_allclose(read_counts_objective.expected_tpm(torch.log2(tpm + 1)), tpm, rtol=1e-4)
    below = read_counts_objective.expected_tpm(torch.tensor([-2.0, 0.0], dtype=torch.float64))
    assert 0 < below[0] < below[1] < 0.11


def test_reads_come_back_from_the_training_matrix(matrix, settings):
    """From coverage to half-precision log2(TPM + 1), z-scores and back: one read or 0.7 % off at most."""
    generator = np.random.default_rng(3)
    shape = matrix.expression.shape
    coverage = np.rint(np.exp(generator.normal(9, 3, size=shape)))
    rate_sum, read_length = (coverage / matrix.gene_lengths).sum(axis=1), 97.5
    expression = log_tpm(coverage, matrix.gene_lengths).astype(TRAINING_TYPE)
    depth = rate_sum / read_length / 1e6
    depth[4] = np.nan
    matrix = dataclasses.replace(matrix, expression=expression, reads_per_rate=depth)
    base, task = task_of(matrix, settings, {"read_counts": ALL["read_counts"]})
    seen = {}

    def keep(reads, expected, dispersion):
        seen["reads"] = reads
        return torch.zeros_like(reads)

    rows = np.arange(20)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read_counts_objective, "log_likelihood", keep)
        task(batch_of(matrix, base, rows))
    truth = read_counts(coverage, np.full(len(coverage), read_length))[rows]
    known = rows != 4
    off = np.abs(seen["reads"].numpy() - truth)[known]
    assert (truth[known] > 1e4).any()
    assert (off <= np.maximum(1, 0.007 * truth[known])).all()
    assert (off == 0).mean() > 0.5


def test_sample_of_unknown_depth_costs_nothing(matrix, settings):
    depth = matrix.reads_per_rate.copy()
    depth[[0, 2]] = np.nan
    base, task = task_of(dataclasses.replace(matrix, reads_per_rate=depth), settings)
    losses = task.objectives["read_counts"](task.view(batch_of(matrix, base, np.arange(4))))
    assert ((losses == 0).tolist(), bool((losses[[1, 3]] > 0).all())) == ([True, False, True, False], True)


def test_gene_mean_rival_is_the_most_likely_of_its_grid():
    generator = torch.Generator().manual_seed(4)
    truth = torch.tensor([0.1, 1.0], dtype=torch.float64)
    rate = torch.full((2000, 2), 30.0, dtype=torch.float64)
    gamma = torch.distributions.Gamma(1 / truth, 1 / truth / rate)
    torch.manual_seed(4)
    tpm = torch.poisson(gamma.sample(), generator=generator)
    mean, dispersion = read_counts_objective.fit_baseline(tpm, torch.ones_like(tpm), poisson=False)
    np.testing.assert_allclose(mean, tpm.mean(dim=0))
    np.testing.assert_allclose(dispersion, truth, rtol=0.3)  # neighbours in the grid differ by a factor of 1.6


def test_label_loss_is_the_cross_entropy_of_labelled_samples_and_0_for_others(matrix, settings):
    base, task = task_of(matrix, settings)
    objective, rows = task.objectives["labels"], np.arange(0, 30)
    seen = task.view(batch_of(matrix, base, rows))
    losses = objective(seen)
    probabilities = torch.softmax(objective.heads[0](seen.embedding), dim=1)
    for row, loss in zip(rows, losses, strict=True):
        value = matrix.attributes["tissue"][row]
        expected = -torch.log(probabilities[row, ["liver", "lung"].index(value)]).item() if value else 0.0
        assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_label_scores_are_scikit_learns_balanced_accuracy(matrix, settings):
    base, task = task_of(matrix, settings)
    rows = np.arange(90, 107)
    seen = task.view(batch_of(matrix, base, rows))
    scores = {name: value for _, name, value in task.objectives["labels"].scores(seen)}
    truth = matrix.attributes["tissue"][rows]
    predicted = np.array(["liver", "lung"])[task.objectives["labels"].heads[0](seen.embedding).argmax(dim=1)]
    assert scores["model"] == pytest.approx(balanced_accuracy_score(truth[truth != ""], predicted[truth != ""]))
    assert scores["majority"] == 0.5


def test_classes_need_studies_that_are_trained_on(matrix, settings):
    values = matrix.attributes["tissue"].copy()
    values[matrix.studies == "study00"] = "rare"  # in one study that is trained on
    values[matrix.roles == "test"] = "unseen"
    names, target = labels.known_classes(with_tissue(matrix, values), matrix.rows(["pretrain"]), "tissue", 2)
    assert names == ["liver", "lung"]
    assert set(target[np.isin(values, ["rare", "unseen", ""])]) == {-1}
    with pytest.raises(InputError, match="'tissue' has 0 values that occur in at least 7 of the studies"):
        task_of(matrix, settings, {"labels": {"weight": 1.0, "keys": ["tissue"], "minimum_studies": 7}})


def test_adversary_turns_the_gradient_of_the_embedding_and_not_its_own():
    torch.manual_seed(5)
    targets = torch.tensor([0, 1, 2, -1])
    adversary = study_adversary.StudyAdversary(6, 3, targets, strength=0.7)
    embedding = torch.randn(4, 6, requires_grad=True)
    seen = View(torch.arange(4), None, None, embedding, None)
    losses = adversary(seen)
    turned = torch.autograd.grad(losses.sum(), [embedding, *adversary.parameters()])
    plain = torch.nn.functional.cross_entropy(
        adversary.classifier(embedding), targets, ignore_index=-1, reduction="none"
    )
    straight = torch.autograd.grad(plain.sum(), [embedding, *adversary.parameters()])
    assert torch.equal(losses, plain)
    assert losses[3] == 0
    torch.testing.assert_close(turned[0], -0.7 * straight[0])
    for own, expected in zip(turned[1:], straight[1:], strict=True):
        torch.testing.assert_close(own, expected)


def weights(matrix, settings):
    base, history, evaluation = pretrain(matrix, settings, 9, torch.device("cpu"))
    return base.network.state_dict(), history, evaluation


def test_neither_values_nor_labels_of_held_out_studies_change_a_weight(matrix, settings):
    settings = dataclasses.replace(settings, objectives=ALL, steps=25)
    held_out = matrix.rows(["validation", "test"])
    generator = np.random.default_rng(6)
    expression, values = np.array(matrix.expression), matrix.attributes["tissue"].copy()
    expression[held_out] = generator.permuted(expression[held_out], axis=1)
    values[held_out] = generator.permutation(values[held_out])
    changed = with_tissue(dataclasses.replace(matrix, expression=expression), values)
    (before, _, scores), (after, _, others) = weights(matrix, settings), weights(changed, settings)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert [row["value"] for row in scores] != [row["value"] for row in others]


def test_labels_of_studies_that_are_trained_on_do_change_weights(matrix, settings):
    """The leak test above can fail."""
    settings = dataclasses.replace(settings, objectives=ALL, steps=25)
    values = matrix.attributes["tissue"].copy()
    trained = matrix.rows(["pretrain"])
    values[trained] = np.random.default_rng(7).permutation(values[trained])
    (before, _, _), (after, _, _) = weights(matrix, settings), weights(with_tissue(matrix, values), settings)
    assert not all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_objective_is_learned_and_scored_on_held_out_studies(matrix, settings, architecture):
    """Tissue moves a few genes beside what the study moves; both architectures learn all that there is to learn."""
    expression = np.array(matrix.expression, dtype=np.float32)
    values = np.tile(["liver", "lung"], len(expression) // 2)
    expression[:, 10:16] += 6.0 * (values == "lung")[:, None]
    matrix = with_tissue(dataclasses.replace(matrix, expression=expression.clip(0)), values)
    changed = {"objectives": ALL, "steps": 250, "learning_rate": 0.01, "expression_bins": 12}
    changed = dataclasses.replace(settings, architecture=architecture, **changed)
    _, history, evaluation = weights(matrix, changed)
    for name in ("masked_expression", "read_counts", "labels"):
        assert history[-1][f"validation_{name}"] < history[0][f"validation_{name}"]
    assert history[-1]["validation_study_adversary"] == 0.0, "no held-out study is one of its classes"
    assert history[-1]["validation_study_differences"] == 0.0, "it has no mean of a held-out study"
    found = {}
    for row in evaluation:
        found.setdefault((row["metric"], row["predictor"]), []).append(row["value"])
    mean = {key: np.mean(values) for key, values in found.items()}
    assert {metric for metric, _ in mean} == {"masked_mse", "read_log_likelihood", "balanced_accuracy_tissue"}
    assert mean["balanced_accuracy_tissue", "model"] > 0.9 > mean["balanced_accuracy_tissue", "majority"]
    assert mean["masked_mse", "model"] < mean["masked_mse", "gene_mean"]
    assert mean["read_log_likelihood", "model"] > mean["read_log_likelihood", "gene_mean"]


def test_the_saved_directory_tells_labels_and_its_heads_can_be_trained_on(matrix, settings, tmp_path):
    expression = np.array(matrix.expression, dtype=np.float32)
    values = np.tile(["liver", "lung"], len(expression) // 2)
    expression[:, 10:16] += 6.0 * (values == "lung")[:, None]
    matrix = with_tissue(dataclasses.replace(matrix, expression=expression.clip(0)), values)
    objectives = {"labels": {"weight": 1.0, "keys": ["tissue"], "minimum_studies": 2}}
    settings = dataclasses.replace(settings, objectives=objectives, steps=100, learning_rate=0.01)
    base, _, _ = pretrain(matrix, settings, 9, torch.device("cpu"))
    save_base(base, tmp_path / "model.safetensors", tmp_path / "model.json")
    loaded = load_base(tmp_path / "model.safetensors", tmp_path / "model.json")
    rows = matrix.rows(["validation", "test"])
    told = tell_labels(loaded, embed_rows(loaded, matrix.expression, rows))["tissue"]
    assert told.tolist() == values[rows].tolist()
    (names, head), (kept, trained) = loaded.heads["tissue"], base.heads["tissue"]
    assert names == kept == ["liver", "lung"]
    assert all(torch.equal(one, other) for one, other in zip(head.parameters(), trained.parameters(), strict=True))
    head(torch.ones(3, base.network.width)).sum().backward()
    assert head.weight.grad.abs().min() > 0


def test_a_model_without_labels_tells_none(matrix, settings, tmp_path):
    base = initial_base(matrix, settings, 3, torch.device("cpu"))
    save_base(base, tmp_path / "model.safetensors", tmp_path / "model.json")
    assert tell_labels(load_base(tmp_path / "model.safetensors", tmp_path / "model.json"), np.zeros((2, 8))) == {}


def test_differences_to_the_study_are_those_of_a_plain_loop(matrix, settings, monkeypatch):
    """Means over blocks, genes that a study has not measured, studies that are held out, the head's mean."""
    monkeypatch.setattr(study_differences, "BLOCK_SAMPLES", 7)
    expression = np.array(matrix.expression)
    lacking = np.unique(matrix.studies)[0]
    expression[np.ix_(matrix.studies == lacking, [2, 5])] = NOT_MEASURED
    matrix = dataclasses.replace(matrix, expression=expression)
    base, task = task_of(matrix, settings, {"study_differences": {"weight": 1.0}})
    batch = batch_of(matrix, base, np.arange(len(matrix.studies)))
    module, seen = task.objectives["study_differences"], task.view(batch)
    losses, predicted = module(seen).detach().numpy(), module.head(seen.embedding).detach().numpy()
    z, trained = batch.expression.numpy(), set(matrix.rows(settings.roles))
    for row, study in enumerate(matrix.studies):
        expected = 0.0
        if row in trained:
            mean = z[[other for other in sorted(trained) if matrix.studies[other] == study]].mean(axis=0)
            hidden = batch.mask[row].numpy()
            expected = np.mean((predicted[row] - (z[row] - mean))[hidden] ** 2)
        assert losses[row] == pytest.approx(expected, rel=1e-4)
    assert 0 < len(trained) < len(z)
    assert lacking in set(matrix.studies[sorted(trained)])


def test_differences_ignore_what_all_samples_of_a_study_share(matrix, settings):
    """The target is the same when a study is moved as a whole: its protocol need not be learned."""
    base, task = task_of(matrix, settings, {"study_differences": {"weight": 1.0}})
    rows = matrix.rows(settings.roles)
    study = matrix.studies[rows[0]]
    moved = np.array(matrix.expression, dtype=np.float32)
    moved[matrix.studies == study] += np.linspace(0.5, 2, moved.shape[1], dtype=np.float32)
    trained = study_differences.study_means(base, moved, rows, np.unique(matrix.studies[rows], return_inverse=True)[1])
    module = task.objectives["study_differences"]
    there = rows[matrix.studies[rows] == study]
    before = base.standardise(matrix.expression[there]) - module.means[module.targets[there]]
    after = base.standardise(moved[there]) - trained[module.targets[there]]
    np.testing.assert_allclose(after, before, atol=2e-5)

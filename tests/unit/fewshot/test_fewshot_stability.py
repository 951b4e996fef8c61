"""The largest stable learning rate, against eigenvalues of the whole Jacobian, and against fits that run away."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from every_method import TRAINED
from scarceseq.fewshot.compose import compose
from scarceseq.fewshot.corpus import Episode
from scarceseq.fewshot.engine.fitting import Fitter
from scarceseq.fewshot.engine.loop import stack_triples
from scarceseq.fewshot.engine.rate_inputs import RateInputs
from scarceseq.fewshot.engine.starts import pretrained_start
from scarceseq.fewshot.method import Candidate
from scarceseq.fewshot.settings import Candidates, FittingSettings
from scarceseq.pretrain.architectures import mlp
from scarceseq.pretrain.model import Base
from scarceseq.seeds import derive
from torch.func import functional_call

DESCENT = [name for name in TRAINED if compose(name).optimiser == "sgd"]
SETTINGS = FittingSettings(
    momentum=0.9, reference_samples=9, curve_steps=[], curve_episodes=0, candidates=[Candidate(0.1, 30)]
)
GENES = 22_000


def episode(genes, seed, samples=9, shift=1.0, common=0.0):
    """Three classes, some genes differ between them; what a study has in common is added to all samples."""
    generator = np.random.default_rng(seed)
    classes = np.arange(samples) % 3
    expression = generator.normal(size=(samples, genes)) + shift * np.eye(genes)[:3][classes]
    expression = expression + common * generator.normal(size=genes)
    return Episode("test", 0, seed, ["a", "b", "c"], expression, classes, expression, classes, [], "", "")


def begun(method, setting, one):
    """Fitter, triple, engine and prepared support of one episode."""
    fitter = Fitter(method, setting, SETTINGS)
    triple, engine = fitter.begin(one)
    return fitter, triple, engine, engine.prepare(triple, *fitter._tensors(one))


@pytest.fixture
def setting(world, guide):
    """Base and guide in float64; the hidden layers have a say from the start."""
    base = world.base
    torch.manual_seed(0)
    torch.nn.init.normal_(base.network.encoder.output.weight, std=0.3)
    base.network.double()
    base.mean, base.scale = base.mean.double(), base.scale.double()
    reference = np.random.default_rng(0).normal(size=(20, len(world.gene_ids)))
    return RateInputs(base, pretrained_start(base, 2, 0), {n: g.double() for n, g in guide.items()}, 3, reference)


@pytest.mark.parametrize("name", DESCENT)
def test_border_is_that_of_the_largest_eigenvalue_of_the_whole_curvature(name, setting):
    method, one = compose(name), episode(len(setting.base.gene_ids), 5)
    _, triple, engine, support = begun(method, setting, one)
    classifier = method.start(setting.base, 3, derive(one.seed, "start"))
    weights = {key: weight.detach() for key, weight in classifier.named_parameters()}

    def logits(given):
        return functional_call(classifier, given, (support.expression,))

    jacobian = torch.func.jacrev(logits)(weights)
    rows = []
    for key, slope in jacobian.items():
        rate = torch.as_tensor(triple.rate[key], dtype=torch.float64).expand(weights[key].shape)
        rows.append((slope * rate.sqrt()).reshape(27, -1))
    product = torch.cat(rows, dim=1) @ torch.cat(rows, dim=1).T
    centred = torch.kron(torch.eye(9, dtype=torch.float64), torch.eye(3, dtype=torch.float64) - 1 / 3)
    curvature = torch.linalg.eigvalsh(centred @ product @ centred)[-1] / (2 * 9)
    assert float(engine.stable_rate(support, 0.9)) == pytest.approx(3.8 / float(curvature), rel=0.05)


def test_stacked_fits_have_their_rates(setting):
    method = compose("full_fine_tuning")
    ones = [episode(len(setting.base.gene_ids), seed, shift=seed) for seed in (2, 3)]
    fitter = Fitter(method, setting, SETTINGS)
    alone = [
        float(engine.stable_rate(support, 0.9)) for _, _, engine, support in (begun(method, setting, o) for o in ones)
    ]
    triples = [fitter.begin(one) for one in ones]
    expression, classes, query = (torch.stack(part) for part in zip(*(fitter._tensors(o) for o in ones), strict=True))
    engine = triples[0][1]
    support = engine.prepare(stack_triples([triple for triple, _ in triples]), expression, classes, query, 2)
    np.testing.assert_allclose(engine.stable_rate(support, 0.9).numpy(), alone, rtol=1e-6)


@pytest.fixture(scope="module")
def wide():
    """A base of as many genes as mouse has, in single precision, with a linear path that is far from its start."""
    torch.manual_seed(1)
    network = mlp.MaskedAutoencoder(GENES, [64], 32, [])
    torch.nn.init.normal_(network.encoder.output.weight, std=0.1)
    base = Base(network.eval(), [f"g{n}" for n in range(GENES)], torch.zeros(GENES), torch.ones(GENES))
    guide = {f"encoder.{n}": torch.rand_like(w) for n, w in network.encoder.named_parameters()}
    return RateInputs(base, pretrained_start(base, 2, 0), guide, 3)


@pytest.mark.parametrize("name", ["full_fine_tuning", "guided@per_tensor", "linear_probe"])
def test_default_grid_is_stable_at_the_genes_of_mouse_if_relative(name, wide):
    method, one = compose(name), episode(GENES, 7, common=3.0)
    lost = {}
    for scale in ("relative", "absolute"):
        fitter = Fitter(method, wide, replace(SETTINGS, rate_scale=scale))
        found = fitter.one_by_one(one, [Candidate(rate, 100) for rate in Candidates().learning_rate])
        own = [probabilities[np.arange(9), one.query_classes] for probabilities in found]
        lost[scale] = [bool(not np.isfinite(p).all() or -np.log(np.maximum(p, 1e-30)).mean() > np.log(3)) for p in own]
    assert lost["relative"] == [False, False, False]
    if name == "full_fine_tuning":
        assert any(lost["absolute"]), "what is to be mended"

"""The documented loop runs as it stands and ends where the few-shot engine ends."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from scarceseq.fewshot.corpus import Episode
from scarceseq.fewshot.engine.fitting import Fitter
from scarceseq.fewshot.engine.rate_inputs import RateInputs
from scarceseq.fewshot.engine.rates import guide_rate
from scarceseq.fewshot.method import Candidate, FineTuning
from scarceseq.fewshot.settings import FittingSettings
from scarceseq.pretrain.classifier import make_classifier
from scarceseq.pretrain.model import save_base

PAGE = Path(__file__).parents[3] / "docs" / "guide_in_your_own_code.md"


@pytest.fixture
def guide(base):
    """Guide with values drawn between 0 and 1."""
    generator = torch.Generator().manual_seed(5)
    named = base.network.encoder.named_parameters()
    return {f"encoder.{name}": torch.rand(weight.shape, generator=generator) for name, weight in named}


def test_documented_loop_ends_where_the_engine_ends(matrix, base, guide, tmp_path, monkeypatch):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    for folder in ("results/demo/pretrain/mlp", "results/demo/guide/mlp/cluster_pairs"):
        Path(folder).mkdir(parents=True)
    save_base(base, "results/demo/pretrain/mlp/model.safetensors", "results/demo/pretrain/mlp/model.json")
    save_file(guide, "results/demo/guide/mlp/cluster_pairs/per_tensor.safetensors")
    rows, labels = np.array(matrix.expression[:12]), np.arange(12) % 2
    np.save("my_samples.npy", rows)
    np.save("my_labels.npy", labels)
    found = {}
    exec(code, found)

    def same_start(base, classes, seed):
        return make_classifier(base.network, classes, 1)

    method = FineTuning(start=same_start, rate=guide_rate)
    support = base.standardise(rows).numpy()
    episode = Episode("test", 0, 0, ["a", "b"], support, labels, support, labels, [], "", "")
    setting = RateInputs(base, same_start(base, 2, 1), guide, 0)
    candidate = Candidate(0.01, 30)
    fitter = Fitter(
        method, setting, FittingSettings(0.9, 0, 2, curve_steps=[], curve_episodes=0, candidates=[candidate])
    )
    expected = fitter.one_by_one(episode, [candidate])[0]
    with torch.no_grad():
        probabilities = found["classifier"](torch.from_numpy(support)).softmax(dim=1).numpy()
    assert np.abs(expected - 0.5).max() > 0.2, "something was learnt"
    np.testing.assert_allclose(probabilities, expected, atol=1e-4)
    guided = found["classifier"].encoder.linear.weight - base.network.encoder.linear.weight
    assert float(guided.detach().abs().max()) > 0

"""A small world for few-shot tests: studies with strong batch effects, tissues that shift the same genes everywhere."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from scarceseq import registry
from scarceseq.fewshot.corpus import Corpus
from scarceseq.fewshot.settings import EpisodeSettings, FittingSettings
from scarceseq.pretrain.model import Base

GENES = 40
ROLES = ["pretrain"] * 4 + ["scout"] * 2 + ["validation"] * 3 + ["test"] * 5
CLASSES = ["brain", "liver", "muscle"]
ARCHITECTURE = {"hidden_widths": [16], "width": 8, "decoder_widths": []}


@pytest.fixture
def world():
    """A world of the test, which may change it."""
    return make_world()


def make_world():
    """Tables, expression, base model and guide; 14 studies of 15 samples, 3 tissues, 40 genes."""
    generator = np.random.default_rng(7)
    effects = {label: generator.normal(0, 1.5, GENES) for label in CLASSES}
    rows, expression, splits = [], [], []
    for number, role in enumerate(ROLES):
        study = f"S{number:02d}"
        splits.append(("default", study, role))
        batch = generator.normal(0, 2.0, GENES)
        for index in range(15):
            rows.append((f"{study}.{index:02d}", study, CLASSES[index % 3]))
            expression.append(5 + batch + effects[CLASSES[index % 3]] + generator.normal(0, 0.7, GENES))
    table = pd.DataFrame(rows, columns=["sample", "study", "label"])
    expression = np.array(expression, dtype=np.float32)
    fitted = expression[table["study"].isin([f"S{number:02d}" for number in range(4)])]
    return SimpleNamespace(
        samples=table[["sample", "study"]],
        attributes=pd.DataFrame({"sample": table["sample"], "key": "tissue", "value": table["label"]}),
        splits=pd.DataFrame(splits, columns=["split", "study", "role"]),
        expression=expression,
        gene_ids=[f"G{gene}" for gene in range(GENES)],
        base=make_base(torch.from_numpy(fitted.mean(0)), torch.from_numpy(fitted.std(0))),
    )


def make_base(mean, scale):
    """An MLP of fixed random weights as base model."""
    torch.manual_seed(3)
    network = registry.load("pretrain.architectures", "mlp").build(mean, scale, ARCHITECTURE)
    information = {
        "architecture": "mlp",
        "settings": ARCHITECTURE,
        "split": "default",
        "seed": 11,
        "training_studies": ["S00", "S01", "S02", "S03"],
    }
    return Base(network.eval(), [f"G{gene}" for gene in range(len(mean))], mean, scale, information)


@pytest.fixture
def guide(world):
    """A guide with values drawn between 0 and 1."""
    generator = torch.Generator().manual_seed(5)
    named = world.base.network.encoder.named_parameters()
    return {f"encoder.{name}": torch.rand(weights.shape, generator=generator) for name, weights in named}


@pytest.fixture
def make_corpus():
    """Function from a world to its `Corpus`."""
    labels = lambda world: dict(zip(world.attributes["sample"], world.attributes["value"], strict=True))  # noqa: E731
    return lambda world: Corpus(world.expression, world.samples, world.gene_ids, world.base, labels=labels(world))


@pytest.fixture
def episode_settings():
    """Function from changed keys to episode settings."""
    return settings_of_episodes


def settings_of_episodes(**changed):
    """Episode settings, of which some are given."""
    usual = {"split": "default", "label": "tissue", "protocol": "cross_study", "classes": [], "group": ""}
    usual |= {"episodes": 12, "validation_episodes": 4, "query_per_class": 4}
    return EpisodeSettings(**(usual | changed))


@pytest.fixture
def fitting():
    """Settings of the fits."""
    return FittingSettings(
        momentum=0.9, pca_components=5, reference_samples=1000, curve_steps=[], curve_episodes=0, candidates=[]
    )

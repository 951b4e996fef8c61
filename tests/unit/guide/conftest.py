"""An untrained base on the small corpus of the pre-training tests: scouts need no better one."""

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "pretrain"))

from scarceseq.guide.settings import SchemeSettings
from scarceseq.pretrain.run import initial_base
from scarceseq.pretrain.samples import read_matrix
from small_corpus import small_expression, small_settings, write_corpus


@pytest.fixture
def matrix(tmp_path):
    """The small corpus, read from disk."""
    return read_matrix(*write_corpus(tmp_path / "corpus", *small_expression()), "default")


@pytest.fixture
def base(matrix):
    """Base with initial weights and fitted normalisation."""
    return initial_base(matrix, small_settings(), 3, torch.device("cpu"))


@pytest.fixture
def settings():
    """Settings of a few quick scouts."""
    return SchemeSettings(
        scheme="cluster_pairs",
        roles=("pretrain", "scout"),
        scouts=5,
        scouts_per_block=2,
        label="",
        classes_per_scout=3,
        reduction="pca",
        components=5,
        clusters=4,
        minimum_class_samples=6,
        samples_per_class=12,
        held_out_share=0.25,
        shuffle_labels=False,
        optimiser="sgd",
        steps=8,
        batch_samples=6,
        learning_rate=0.05,
        momentum=0.9,
        minimum_held_out_accuracy=0.0,
        displacement="squared",
        head="free",
        normalisation="min_max",
        temperature="room",
        scale=1.0,
        sparse_below=0.0,
    )

"""Which samples each scout learns from and which it is judged by."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from scarceseq import registry
from scarceseq.errors import InputError
from scarceseq.guide.settings import HELD_OUT, TRAIN, SchemeSettings
from scarceseq.pretrain.components import Reader
from scarceseq.pretrain.model import Base
from scarceseq.pretrain.samples import LabelledMatrix
from scarceseq.seeds import derive


def plan_scouts(
    matrix: LabelledMatrix, attributes: pd.DataFrame, base: Base, settings: SchemeSettings, run_seed: int
) -> pd.DataFrame:
    """Tasks of a scheme: ``scout``, ``sample``, ``label``, ``part`` (train or held_out), a row per sample of a scout.

    `attributes` has sample, key, value, with labels for the schemes that use them. The base's mean and scale make the
    z-scores; its genes must be those of the matrix. Raises InputError if the scheme finds no task, or no sample has a
    role to draw from.
    """
    rows = matrix.rows(settings.roles)
    if len(rows) == 0:
        raise InputError(
            f"guide scheme {settings.scheme}: no sample has a role in {list(settings.roles)}; give studies that role"
        )
    seed = derive(run_seed, "guide", settings.scheme)
    scheme = registry.load("guide.schemes", settings.scheme)
    labels = labels_of(matrix.samples[rows], attributes, settings.label)

    def read(chosen: np.ndarray) -> torch.Tensor:
        return base.standardise(matrix.expression[rows[chosen]])

    tasks = scheme.draw_tasks(Candidates(read, matrix.studies[rows], labels), settings, seed)
    tables = [
        draw_parts(classes, settings, derive(seed, "samples", scout)).assign(scout=scout)
        for scout, classes in enumerate(tasks)
    ]
    plan = pd.concat(tables, ignore_index=True)
    plan["sample"] = matrix.samples[rows][plan.pop("row")]
    return plan[["scout", "sample", "label", "part"]]


@dataclass(frozen=True)
class Candidates:
    """Samples that scouts may see."""

    read: Reader  # of the candidates' z-scores, (samples, genes)
    studies: np.ndarray  # str, (samples,)
    labels: np.ndarray  # str, (samples,); empty where a sample has none, or several

    @property
    def samples(self) -> int:
        """How many there are."""
        return len(self.studies)


def labels_of(samples: Sequence[str], attributes: pd.DataFrame, key: str) -> np.ndarray:
    """Value of an attribute for each sample; empty without a key, and for samples with no value or several."""
    values = attributes.loc[attributes["key"] == key, ["sample", "value"]].dropna()
    values = values.assign(value=values["value"].astype(str).str.strip()).drop_duplicates()
    if key and values.empty:
        there = ", ".join(sorted(attributes["key"].dropna().unique())[:20]) or "none"
        raise InputError(
            f"attributes.parquet has no attribute '{key}'; attributes there: {there}; change `label` of the scheme"
        )
    values = values[~values["sample"].duplicated(keep=False)].set_index("sample")["value"]
    return np.array([values.get(sample, "") for sample in samples], dtype=str)


def draw_parts(classes: list[np.ndarray], settings: SchemeSettings, seed: int) -> pd.DataFrame:
    """Up to ``samples_per_class`` samples of each class, the last ``held_out_share`` of them held out.

    `classes` are the rows of each class, at least two. Gives ``row``, ``label``, ``part``, with at least one sample of
    each class in each part. With ``shuffle_labels``, labels are exchanged at random among the samples of each part.
    """
    generator = np.random.default_rng(seed)
    tables = []
    for label, members in enumerate(classes):
        chosen = generator.permutation(members)[: settings.samples_per_class]
        held_out = min(max(round(settings.held_out_share * len(chosen)), 1), len(chosen) - 1)
        roles = [TRAIN] * (len(chosen) - held_out) + [HELD_OUT] * held_out
        tables.append(pd.DataFrame({"row": chosen, "label": label, "part": roles}))
    roles = pd.concat(tables, ignore_index=True)
    if settings.shuffle_labels:
        roles["label"] = roles.groupby("part")["label"].transform(generator.permutation)
    return roles

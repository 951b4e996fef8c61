"""What a cell refuses to be fitted on."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from scarceseq.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    import torch

    from scarceseq.fewshot.settings import EpisodeSettings
    from scarceseq.pretrain.model import Base


def check_classes(table: "pd.DataFrame", settings: "EpisodeSettings", task: str) -> None:
    """Refuse a task of which no cell could be filled: test studies without its label, or with one class alone.

    `table` has the columns role, label; see `scarceseq.fewshot.labels.labelled_samples`. `task` is for the message.
    """
    classes = sorted(table.loc[table["role"] == "test", "label"].unique())
    if len(classes) < 2:
        have = f"have one class only, '{classes[0]}'" if classes else "have no class at all"
        listed = f", of the task's classes {', '.join(settings.classes)}" if settings.classes else ""
        raise InputError(
            f"fewshot.tasks.{task}: by the attribute '{settings.label}' (attributes.parquet) the test studies of split "
            f"'{settings.split}' {have}{listed}; 2 are needed: check the labels of these studies, `label` and `split`"
        )


def check_episodes(episodes: "pd.DataFrame") -> None:
    """Refuse a table in which a sample is on both sides of an episode, or twice on one side."""
    keys = [name for name in ("way", "shot", "role", "episode", "sample") if name in episodes]
    twice = episodes[episodes.duplicated(keys, keep=False)]
    if len(twice):
        first = twice.iloc[0]
        raise InputError(
            f"episode {first['episode']} ({first['role']}): sample {first['sample']} occurs more than once; "
            "support and query must not share a sample, plan the episodes again"
        )


def check_apart_from_training(episodes: "pd.DataFrame", splits: "pd.DataFrame", base: "Base") -> None:
    """Refuse episodes from studies that the base model or its guides were trained on."""
    split = base.information["split"]
    used = (splits["split"] == split) & splits["role"].isin(["pretrain", "scout"])
    trained = {*splits.loc[used, "study"], *base.information.get("training_studies", [])}
    seen = sorted(set(episodes["study"]) & trained)
    if seen:
        raise InputError(
            f"study {seen[0]} of an episode belongs to the pretrain or scout studies of the base's split '{split}'; "
            "evaluate a task with bases of its own split: check `split` in fewshot.tasks and pretrain.bases"
        )


def check_guide(guide: "dict[str, torch.Tensor]", encoder: "dict[str, torch.Tensor]", width: int, path: str) -> None:
    """Refuse a guide that is not this encoder's: another tensor or shape, or a value that is negative or not finite.

    Both are tensors by parameter name, ``encoder.*``; the guide may have a head's too. `width` is that of the
    embedding, `path` the file the guide came from, for the message.
    """
    shapes = {name: tuple(weights.shape) for name, weights in encoder.items()}
    if any(name.startswith("head.") for name in guide):  # of one class; all classes get the same
        shapes |= {"head.weight": (1, width), "head.bias": (1,)}
    check_learned(guide, shapes, path)
    for name in shapes:
        if not bool((guide[name] >= 0).all()):
            raise InputError(f"{path}: tensor {name} has negative values; compute it anew")


def check_learned(
    learned: "dict[str, torch.Tensor]", shapes: Mapping[str, Any], path: str = "what was learned on other studies"
) -> None:
    """Refuse tensors that are not of these names and shapes (or shaped like these tensors), or not finite."""
    if set(learned) != set(shapes):
        odd = sorted(set(learned) ^ set(shapes))
        raise InputError(
            f"{path}: tensors do not match the encoder's parameters ({', '.join(odd[:5])}); compute it anew"
        )
    for name, shape in shapes.items():
        shape = tuple(getattr(shape, "shape", shape))
        if tuple(learned[name].shape) != shape:
            raise InputError(
                f"{path}: tensor {name} has shape {tuple(learned[name].shape)}, the base model's is {shape}; the guide "
                "belongs to another base, compute it anew"
            )
        if not bool(learned[name].isfinite().all()):
            raise InputError(f"{path}: tensor {name} has values that are not finite; compute it anew")

"""Drawing episodes: which samples a method learns from, and which it is asked about."""

from math import comb, prod
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scarceseq.fewshot.labels import labelled_samples
from scarceseq.fewshot.refusals import check_classes, check_episodes
from scarceseq.fewshot.sources import Sources
from scarceseq.seeds import derive

if TYPE_CHECKING:
    from scarceseq.fewshot.settings import Cell, EpisodeSettings
    from scarceseq.fewshot.sources import Source


COLUMNS = dict(way="object", shot="int64", role="object", episode="int64", seed="int64")
COLUMNS |= dict(part="object", sample="object", label="object", study="object")
# Attempts at a support that was not drawn before, for each one there may be: the last of few is missed once in 20,000.
ATTEMPTS_EACH = 10
MOST_ATTEMPTS = 2000


def plan_cell(
    samples: pd.DataFrame,
    attributes: pd.DataFrame,
    splits: pd.DataFrame,
    settings: "EpisodeSettings",
    cell: "Cell",
    seed: int,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Episodes of one cell, and what was planned, to be written beside the table, with the reason where nothing was.

    Each study of a support gives equally many samples of each class, and all classes of a query come from one study, in
    equal numbers: the study says nothing about the class. Each episode's seed derives from the run's `seed`, the cell,
    the role and the episode's number alone; raising the number of episodes keeps those that were there.

    The tables are those of `scarceseq.fewshot.labels.labelled_samples`. Columns: way (a number, or 'all'), shot, role,
    episode, seed, part, sample, label, study; empty if the test episodes cannot be made. Raises InputError if no cell
    of the task can be filled: its label has no value, or one alone, in the test studies.
    """
    table, left_out = labelled_samples(samples, attributes, splits, settings)
    check_classes(table, settings, cell.task)
    test, test_reason = _draw_role(table, "test", settings.episodes, settings, cell, seed)
    validation, validation_reason = _draw_role(table, "validation", settings.validation_episodes, settings, cell, seed)
    plan = {
        "task": cell.task,
        "way": str(cell.way),
        "shot": cell.shot,
        "protocol": settings.protocol,
        "split": settings.split,
        "label": settings.label,
        "asked": settings.episodes,
        "planned": len(test),
        "reason": test_reason,
        "classes": sorted(table.loc[table["role"] == "test", "label"].unique()),
        "too_few_samples": _too_few(table[table["role"] == "test"], settings, cell),
        "validation": {"planned": len(validation), "reason": validation_reason},
        "samples": {name: int(count) for name, count in left_out.items()},
    }
    frames = [*validation, *test] if test else []
    episodes = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(COLUMNS))
    episodes = episodes.assign(way=str(cell.way), shot=cell.shot)[list(COLUMNS)].astype(COLUMNS)
    check_episodes(episodes)
    return episodes, plan


def _too_few(table: pd.DataFrame, settings: "EpisodeSettings", cell: "Cell") -> dict[str, int]:
    """Classes that no study has enough samples of to be in an episode, and how many the largest has."""
    least = cell.shot + (settings.protocol == "within_study")
    largest = table.groupby(["study", "label"]).size().groupby("label").max()
    return {label: int(count) for label, count in largest[largest < least].items()}


def _draw_role(
    table: pd.DataFrame, role: str, wanted: int, settings: "EpisodeSettings", cell: "Cell", seed: int
) -> tuple[list[pd.DataFrame], str | None]:
    """Up to `wanted` distinct episodes of one role, and the reason if there are none."""
    table = table[table["role"] == role]
    sources = Sources(table, settings.protocol, cell)
    if wanted == 0:
        return [], "none were asked for"
    if not len(sources):
        return [], _reason(table, role, settings, cell)
    members = {key: rows["sample"].tolist() for key, rows in table.groupby(["study", "label"])}
    group = dict(zip(table["sample"], table["group"], strict=True))
    schedule = np.random.default_rng(derive(seed, cell.task, cell.way, cell.shot, role, "schedule"))
    seen, drawn = set(), []
    while len(drawn) < wanted and sources.open.any():
        place = sources.draw(schedule)
        source = sources.at(place)
        episode_seed = derive(seed, cell.task, cell.way, cell.shot, role, len(drawn))
        frame = _draw_new(source, members, group, settings, cell, np.random.default_rng(episode_seed), seen)
        if frame is None:  # every support of this source has been used
            sources.open[place] = False
            continue
        sources.use(place)
        frame.insert(0, "seed", episode_seed)
        frame.insert(0, "episode", len(drawn))
        frame.insert(0, "role", role)
        drawn.append(frame)
    if not drawn:
        return [], f"no support leaves a {role} sample of each class outside its own values of '{settings.group}'"
    return drawn, None


def _draw_new(
    source: "Source",
    members: Any,
    group: Any,
    settings: "EpisodeSettings",
    cell: "Cell",
    generator: np.random.Generator,
    seen: set[Any],
) -> pd.DataFrame | None:
    """One episode of a source with a support that was not drawn before, or None; no group is on both sides."""
    for _ in range(min(ATTEMPTS_EACH * _possible(source, members, settings, cell), MOST_ATTEMPTS)):
        count = len(source.classes) if cell.way == "all" else int(cell.way)
        classes = sorted(generator.choice(source.classes, count, replace=False).tolist())
        support, rest = {}, {}
        for study in _support_studies(source, members, classes, settings, cell):
            for label in classes:
                order = generator.permutation(members[study, label]).tolist()
                support[study, label], rest[study, label] = order[: cell.shot], order[cell.shot :]
        if source.query != source.support:
            rest = {key: generator.permutation(members[key]).tolist() for key in ((source.query, c) for c in classes)}
        key = (source.query, frozenset(sample for drawn in support.values() for sample in drawn))
        taken = {group[sample] for sample in key[1]}
        rest = {key: [sample for sample in drawn if group[sample] not in taken] for key, drawn in rest.items()}
        size = min(settings.query_per_class, *(len(drawn) for drawn in rest.values()))
        if key not in seen and size > 0:
            seen.add(key)
            query = {key: drawn[:size] for key, drawn in rest.items()}
            return pd.concat([_rows("support", support), _rows("query", query)])
    return None


def _possible(source: "Source", members: Any, settings: "EpisodeSettings", cell: "Cell") -> int:
    """At most so many different supports a source has."""
    way = len(source.classes) if cell.way == "all" else int(cell.way)
    of_class = []
    for label in source.classes:
        studies = _support_studies(source, members, [label], settings, cell)
        of_class.append(prod(comb(len(members[study, label]), cell.shot) for study in studies))
    of_class.sort()
    return comb(len(of_class), way) * prod(of_class[-way:])


def _support_studies(
    source: "Source", members: Any, classes: Any, settings: "EpisodeSettings", cell: "Cell"
) -> list[Any]:
    """The source's own, or all but the query's that can give the classes."""
    if settings.protocol != "leave_one_study_out":
        return [source.support]
    studies = sorted({study for study, _ in members} - {source.query})
    return [s for s in studies if all(len(members.get((s, label), [])) >= cell.shot for label in classes)]


def _rows(side: str, chosen: Any) -> pd.DataFrame:
    rows = [(side, sample, *key[::-1]) for key in sorted(chosen) for sample in sorted(chosen[key])]
    return pd.DataFrame(rows, columns=["part", "sample", "label", "study"])


def _reason(table: pd.DataFrame, role: str, settings: "EpisodeSettings", cell: "Cell") -> str:
    """Why no study, or no pair of studies, can fill an episode, and which study comes nearest."""
    if table.empty:
        return f"no sample of a {role} study has the label '{settings.label}'"
    classes = table["label"].nunique()
    if classes < cell.fewest:
        return f"the {role} studies have {classes} of the {cell.fewest} classes asked for"
    nearest = f"; nearest is {_nearest(table, cell.fewest)}"
    if settings.protocol == "within_study":
        return (
            f"no {role} study has {cell.fewest} classes with at least {cell.shot + 1} samples each "
            f"({cell.shot} for the support, 1 for the query){nearest}"
        )
    return (
        f"no two {role} studies share {cell.fewest} classes with at least {cell.shot} samples each in one "
        f"and 1 in the other{nearest}"
    )


def _nearest(table: pd.DataFrame, classes: Any) -> str:
    """The study whose largest classes, so many, are largest, and their samples; the first of equals."""
    counts = {study: rows["label"].value_counts() for study, rows in table.groupby("study")}
    study = max(sorted(counts), key=lambda name: (len(counts[name]) >= classes, counts[name].iloc[:classes].min()))
    largest = counts[study].sort_index().sort_values(ascending=False, kind="stable").iloc[:classes]
    return f"{study}: " + ", ".join(f"{label} {count}" for label, count in largest.items())

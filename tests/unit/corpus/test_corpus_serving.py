"""Splits that can serve the tasks, against counts by hand and the planner of episodes."""

import numpy as np
import pandas as pd
import pytest
from scarceseq.corpus.serving import LabelTask, label_counts, served, tasks_of
from scarceseq.corpus.splits import serve_tasks, split_studies
from scarceseq.fewshot.settings import Cell
from scarceseq.fewshot.sources import Sources

SHARES = {"pretrain": 0.8, "scout": 0.1, "validation": 0.05, "test": 0.05}
TISSUE = LabelTask("tissue", "default", "tissue", (), "cross_study", 2, 2)


def corpus(labelled, studies=300, seed=1):
    """Samples of many studies, of which the first `labelled` have six samples of two of three tissues."""
    names = [f"SRP{number:04d}" for number in range(studies)]
    samples = pd.DataFrame([(f"{name}.{n}", name) for name in names for n in range(6)], columns=["sample", "study"])
    rows = []
    for place, name in enumerate(names[:labelled]):
        pair = [("liver", "lung"), ("lung", "brain"), ("liver", "brain")][place % 3]
        rows += [(f"{name}.{n}", "tissue", pair[n % 2]) for n in range(6)]
    return samples, pd.DataFrame(rows, columns=["sample", "key", "value"])


def drawn(samples, attributes, tasks, split_seed, roles=None):
    splits = {"default": {"roles": roles or {}, "shares": SHARES, "seed": split_seed}}
    plain = split_studies(samples["study"], splits, 7)
    return plain, serve_tasks(plain, samples, attributes, tasks, splits, 7)


@pytest.mark.parametrize("protocol", ["cross_study", "within_study", "leave_one_study_out"])
def test_studies_that_can_be_asked_are_those_of_the_planner(protocol):
    generator = np.random.default_rng(3)
    rows = [
        (f"S{study}.{n}", f"S{study}", str(generator.choice(list("abc"))))
        for study in range(12)
        for n in range(generator.integers(2, 7))
    ]
    table = pd.DataFrame(rows, columns=["sample", "study", "label"])
    attributes = table.rename(columns={"label": "value"}).assign(key="tissue")
    for way in (2, 3):
        for shot in (1, 2, 3):
            task = LabelTask("t", "default", "tissue", (), protocol, way, shot)
            counts = label_counts(table, attributes, task)
            found = Sources(table, protocol, Cell("t", way, shot))
            expected = {found.at(place).query for place in range(len(found))}
            assert set(served(counts, table["study"].unique(), task)) == expected


def test_any_seed_fills_the_task_if_the_corpus_can():
    samples, attributes = corpus(12)
    empty = 0
    for seed in range(20):
        plain, found = drawn(samples, attributes, [TISSUE], seed)
        counts = label_counts(samples, attributes, TISSUE)
        for role, least in (("test", 3), ("validation", 1)):
            studies = found.loc[found["role"] == role, "study"]
            assert len(served(counts, studies, TISSUE)) >= least
            empty += not served(counts, plain.loc[plain["role"] == role, "study"], TISSUE)
        assert found.attrs["unfilled"] == []
        counted = [table["role"].value_counts() for table in (plain, found)]
        assert counted[0].equals(counted[1][counted[0].index]), "as many studies in each role as by the shares"
        assert (plain["role"] != found["role"]).sum() <= 16
    assert empty > 20, "without moves most seeds could not"


def test_splits_that_serve_stay_as_they_are():
    samples, attributes = corpus(300)
    plain, found = drawn(samples, attributes, [TISSUE], 0)
    assert found["role"].equals(plain["role"])
    assert found.attrs == {"moved": [], "unfilled": []}


def test_given_roles_stay_and_what_cannot_be_filled_is_said():
    samples, attributes = corpus(2)
    given = {"SRP0000": "pretrain", "SRP0001": "pretrain"}
    _, found = drawn(samples, attributes, [TISSUE], 0, given)
    roles = found.set_index("study")["role"]
    assert {name: roles[name] for name in given} == given
    assert found.attrs["unfilled"] == [
        f"split default: no {role} study can fill task tissue with 2 classes of 'tissue', 2 samples each to learn from "
        "(cross_study); 2 studies of the corpus have this label"
        for role in ("test", "validation")
    ]


def test_a_sample_with_two_values_and_classes_that_do_not_count_are_left_out():
    samples, attributes = corpus(1)
    twice = pd.DataFrame([("SRP0000.0", "tissue", "lung")], columns=["sample", "key", "value"])
    both = pd.concat([attributes, twice])
    assert label_counts(samples, both, TISSUE) == {"SRP0000": {"liver": 2, "lung": 3}}
    liver = LabelTask("tissue", "default", "tissue", ("liver",), "cross_study", 2, 2)
    assert label_counts(samples, both, liver) == {"SRP0000": {"liver": 2}}


def test_tasks_of_a_config_come_with_the_easiest_first():
    task = {"split": "default", "label": "tissue", "classes": ["a"], "protocol": "cross_study"}
    config = {
        "pretrain": {"comparison": {"tasks": {"t": task}}},
        "fewshot": {"tasks": {"few": task | {"ways": [3, "all"], "shots": [5, 1]}}},
    }
    found = [(task.task, task.fewest, task.shot) for task in tasks_of(config)]
    assert found == [("t", 2, 1), ("few", 2, 1), ("few", 2, 5), ("few", 3, 1), ("few", 3, 5)]
    assert tasks_of({}) == []

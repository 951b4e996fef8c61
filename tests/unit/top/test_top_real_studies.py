"""The configs of the real studies do what their protocol says: labels, folds of series, validation series."""

import hashlib
import itertools

import pandas as pd
import pytest
import yaml

NEVER_TRAINS = {"geuvadis"}


@pytest.fixture(params=["mouse", "human"])
def organism(request):
    return request.param


@pytest.fixture
def config(request, organism):
    return yaml.safe_load((request.config.rootpath / f"config/real_studies_{organism}.yaml").read_text())


@pytest.fixture
def labels(request, organism):
    table = pd.read_csv(request.config.rootpath / "docs/benchmark/real_studies_labels.tsv", sep="\t", dtype=str)
    return table[table["organism"] == organism].fillna("")


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def test_columns_become_the_attributes_of_the_table_of_labels(config, labels):
    used = labels[labels["attribute"] != ""]
    for study, part in used.groupby("study"):
        settings = next(each for each in config["user_studies"] if each["name"] == study)
        assert settings["attribute_names"] == dict(zip(part["column"], part["attribute"], strict=True))
        assert set(settings["label_columns"]) == set(part["column"])
    assert set(used["study"]) == {each["name"] for each in config["user_studies"] if "labels" in each}
    kinds = used["attribute"].str.rsplit("_", n=1).str[0]
    assert (kinds == used["kind"]).all()
    assert (labels.loc[labels["attribute"] == "", "note"] != "").all()  # each column that is left out says why


def test_folds_and_validation_series_are_drawn_by_the_hash_of_the_series(config, labels):
    series_of = dict(zip(labels["study"], labels["series"], strict=True))
    series_of.pop("", None)
    order = sorted(set(series_of.values()), key=digest)
    folds = {series: f"fold{number % 5 + 1}" for number, series in enumerate(order)}
    for fold, split in config["corpus"]["splits"].items():
        rest = sorted((s for s in order if folds[s] != fold), key=lambda series, fold=fold: digest(f"{fold} {series}"))
        validates = set(rest[: round(len(rest) / 5)])
        for study, role in split["roles"].items():
            series = series_of.get(study)  # without one: no label, trains in every fold
            held_back = series in validates or study in NEVER_TRAINS
            assert role == ("test" if folds.get(series) == fold else "validation" if held_back else "pretrain")
        assert set(series_of) <= set(split["roles"])


def test_every_label_of_a_folds_test_studies_is_a_task(config, labels, organism):
    wanted = set()
    for fold, split in config["corpus"]["splits"].items():
        tested = {study for study, role in split["roles"].items() if role == "test"}
        found = labels.loc[labels["study"].isin(tested) & ~labels["attribute"].isin(["", "group"]), "attribute"]
        wanted |= {f"{attribute}_{fold}" for attribute in found}
    if organism == "human":  # for want of time, see the protocol
        wanted = {name for name in wanted if name.startswith("biological_1")}
    wanted |= {f"guided_{fold}" for fold in config["corpus"]["splits"]}
    assert set(config["fewshot"]["tasks"]) == wanted
    assert config["fewshot"]["scoring"]["smallest_difference"] == 0.02


def test_the_table_of_tasks_counts_the_samples_of_the_tables(request, organism, config, shared_data):
    tasks = pd.read_csv(request.config.rootpath / "docs/benchmark/real_studies_tasks.tsv", sep="\t", dtype=str)
    tasks = tasks[tasks["organism"] == organism]
    expected = []
    for settings in config["user_studies"]:
        if "labels" not in settings:
            continue
        path = settings["labels"].format(data=shared_data)
        table = pd.read_csv(path, sep="\t", dtype=str)
        for column, attribute in settings["attribute_names"].items():
            counts = table[column].value_counts()
            pairs = itertools.combinations(sorted(counts.index[counts >= 2]), 2) if attribute != "group" else []
            expected += [(settings["name"], attribute, a, b, str(counts[a]), str(counts[b])) for a, b in pairs]
    columns = ["study", "attribute", "class_a", "class_b", "samples_a", "samples_b"]
    assert sorted(map(tuple, tasks[columns].to_numpy())) == sorted(expected)

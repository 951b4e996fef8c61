"""Episodes: who is drawn, from which study, and what is said when nobody can be."""

import re
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scarceseq.errors import InputError
from scarceseq.fewshot.episodes import plan_cell
from scarceseq.fewshot.metrics import balanced_accuracy
from scarceseq.fewshot.refusals import check_episodes
from scarceseq.fewshot.settings import Cell, EpisodeSettings
from scarceseq.seeds import derive

CELL = Cell("tissue", 3, 2)


def plan(world, settings, cell=CELL, seed=1):
    return plan_cell(world.samples, world.attributes, world.splits, settings, cell, seed)


def test_cross_study_support_and_query_each_come_from_one_study_and_not_the_same(world, episode_settings):
    episodes, found = plan(world, episode_settings())
    assert found["planned"] == 12
    assert found["validation"] == {"planned": 4, "reason": None}
    role = dict(zip(world.splits["study"], world.splits["role"], strict=True))
    for (kind, _), episode in episodes.groupby(["role", "episode"]):
        support, query = (episode[episode["part"] == part] for part in ("support", "query"))
        assert support["study"].nunique() == query["study"].nunique() == 1
        assert support["study"].iloc[0] != query["study"].iloc[0]
        assert support["label"].value_counts().tolist() == [2, 2, 2]
        assert query["label"].value_counts().tolist() == [4, 4, 4]
        assert {role[study] for study in episode["study"]} == {kind}
    truth = dict(zip(world.attributes["sample"], world.attributes["value"], strict=True))
    assert (episodes["sample"].map(truth) == episodes["label"]).all()


def test_leave_one_study_out_takes_the_support_from_every_other_study_that_has_the_classes(world, episode_settings):
    few = world.samples["sample"].str.startswith("S13") & (world.attributes["value"] == "liver")
    world.attributes = world.attributes[~few]
    episodes, _ = plan(world, episode_settings(protocol="leave_one_study_out"), Cell("tissue", 2, 2))
    seen = set()
    for _, episode in episodes[episodes["role"] == "test"].groupby("episode"):
        support, query = (episode[episode["part"] == part] for part in ("support", "query"))
        [left_out] = query["study"].unique()
        able = {f"S{n:02d}" for n in range(9, 14)} - {left_out} - ({"S13"} if "liver" in set(query["label"]) else set())
        assert set(support["study"]) == able
        assert (support.groupby(["study", "label"]).size() == 2).all()
        seen.add(left_out)
    assert len(seen) == 5


def test_all_classes_are_those_that_the_studies_share(world, episode_settings):
    few = world.samples["sample"].str.startswith("S13") & (world.attributes["value"] == "liver")
    world.attributes = world.attributes[~few]
    episodes, _ = plan(world, episode_settings(episodes=40), Cell("tissue", "all", 2))
    assert set(episodes["way"]) == {"all"}
    for _, episode in episodes[episodes["role"] == "test"].groupby("episode"):
        with_13 = "S13" in set(episode["study"])
        assert set(episode["label"]) == {"brain", "muscle"} | (set() if with_13 else {"liver"})


def test_within_study_query_is_balanced_and_disjoint_from_the_support(world, episode_settings):
    episodes, _ = plan(world, episode_settings(protocol="within_study", query_per_class=99), Cell("tissue", 2, 2))
    for _, episode in episodes.groupby(["role", "episode"]):
        assert episode["study"].nunique() == 1
        assert episode["sample"].is_unique
        assert episode.loc[episode["part"] == "query", "label"].value_counts().tolist() == [3, 3]


@pytest.mark.parametrize("protocol", ["cross_study", "within_study", "leave_one_study_out"])
def test_a_classifier_that_sees_only_the_study_scores_chance(world, episode_settings, protocol):
    # Confounded on purpose: half of the studies have hardly any liver, so the study does tell about the tissue overall.
    rare = world.samples["study"].str[-1].isin(list("02468")) & (world.attributes["value"] == "liver")
    dropped = world.samples["sample"][rare & ~world.samples["sample"].str[-2:].isin(["01", "04", "07"])]
    world.attributes = world.attributes[~world.attributes["sample"].isin(dropped)]
    episodes, _ = plan(world, episode_settings(protocol=protocol), CELL)
    share = world.samples.merge(world.attributes, on="sample").groupby("study")["value"]
    guess = share.agg(lambda labels: labels.value_counts().index[0]).to_dict()
    for _, episode in episodes[episodes["part"] == "query"].groupby(["role", "episode"]):
        assert balanced_accuracy(episode["label"], episode["study"].map(guess)) == pytest.approx(1 / 3)


def test_studies_are_drawn_as_evenly_as_possible(world, episode_settings):
    episodes, _ = plan(world, episode_settings(episodes=20))
    test = episodes[episodes["role"] == "test"]
    sides = test.groupby(["episode", "part"])["study"].first().unstack()
    assert sorted(Counter(sides["query"]).values()) == [4] * 5
    assert sorted(Counter(sides["support"]).values()) == [4] * 5
    assert set(Counter(zip(sides["support"], sides["query"], strict=True)).values()) == {1}


def test_episode_seeds_derive_from_the_cell_and_more_episodes_keep_the_first(world, episode_settings):
    few, _ = plan(world, episode_settings(episodes=5))
    many, _ = plan(world, episode_settings(episodes=11))
    pd.testing.assert_frame_equal(few, many[(many["role"] == "validation") | (many["episode"] < 5)])
    row = few[few["role"] == "test"].iloc[-1]
    assert row["seed"] == derive(1, "tissue", 3, 2, "test", int(row["episode"]))
    other, _ = plan(world, episode_settings(episodes=5), seed=2)
    assert not few["sample"].equals(other["sample"])
    pd.testing.assert_frame_equal(few, plan(world, episode_settings(episodes=5))[0])


def test_episodes_are_all_different_and_end_when_there_are_no_more(world, episode_settings):
    few = world.samples["sample"].str[-2:].isin(["00", "01", "03", "04"])  # 2 brain, 2 liver in each study
    world.samples, world.attributes = world.samples[few], world.attributes[few]
    episodes, found = plan(world, episode_settings(protocol="within_study", episodes=500), Cell("tissue", 2, 1))
    assert found["planned"] == 5 * 4  # 5 test studies, 2 x 2 supports in each
    supports = episodes[(episodes["part"] == "support") & (episodes["role"] == "test")]
    assert supports.groupby("episode")["sample"].apply(frozenset).is_unique


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("count", "shot", "distinct"), [(10, 1, 10**2), (5, 2, 10**2), (14, 1, 14**2)])
def test_where_there_are_fewer_than_asked_for_all_of_them_are_drawn(count, shot, distinct, seed):
    """Oracle: the number of ways to choose the support of each of two classes."""
    rows = [(f"{label}{number}", "S", label) for label in "ab" for number in range(count)]
    table = pd.DataFrame(rows, columns=["sample", "study", "value"]).assign(key="k")
    splits = pd.DataFrame({"split": ["d"], "study": ["S"], "role": ["test"]})
    settings = EpisodeSettings("d", "k", "within_study", episodes=500, validation_episodes=0, query_per_class=3)
    _, found = plan_cell(table[["sample", "study"]], table, splits, settings, Cell("k", 2, shot), seed)
    assert found["planned"] == distinct


@pytest.mark.parametrize(
    ("changed", "cell", "reason"),
    [
        ({}, Cell("tissue", 4, 1), "have 3 of the 4 classes"),
        ({}, Cell("tissue", 2, 6), "at least 6 samples each in one and 1 in the other"),
        ({"protocol": "within_study"}, Cell("tissue", 2, 5), r"at least 6 samples each \(5 for the support"),
        ({"protocol": "leave_one_study_out"}, Cell("tissue", 2, 6), "nearest is S09: brain 5, liver 5"),
    ],
)
def test_cell_that_cannot_be_filled_is_empty_and_says_why(world, episode_settings, changed, cell, reason):
    episodes, found = plan(world, episode_settings(**changed), cell)
    assert found["planned"] == 0
    assert re.search(reason, found["reason"]), found["reason"]
    assert len(episodes) == 0
    columns = ["way", "shot", "role", "episode", "seed", "part", "sample", "label", "study"]
    assert list(episodes.columns) == columns


@pytest.mark.parametrize("protocol", ["cross_study", "within_study", "leave_one_study_out"])
def test_a_class_with_too_few_samples_is_in_no_episode_and_is_named(world, episode_settings, protocol):
    shot = 2
    enough = shot + (protocol == "within_study")  # one more for the query where it comes from the same study
    kept = world.samples.merge(world.attributes, on="sample").groupby(["study", "value"]).cumcount() < enough - 1
    world.attributes = world.attributes[kept.to_numpy() | (world.attributes["value"] != "liver")]
    episodes, found = plan(world, episode_settings(protocol=protocol), Cell("tissue", "all", shot))
    assert found["planned"] == 12
    assert set(episodes["label"]) == {"brain", "muscle"}
    assert found["too_few_samples"] == {"liver": enough - 1}
    _, found = plan(world, episode_settings(protocol=protocol), Cell("tissue", 2, shot - 1))
    assert found["too_few_samples"] == {}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"classes": ["brain"]}, "have one class only, 'brain', of the task's classes brain; 2 are needed"),
        ({"classes": ["lung"]}, "have no class at all, of the task's classes lung"),
        ({"label": "batch"}, "by the attribute 'batch' .* have one class only, 'b1'; 2 are needed: check the labels"),
        ({"label": "age"}, "by the attribute 'age' .* of split 'default' have no class at all; 2 are needed"),
    ],
)
def test_a_task_without_two_classes_in_test_studies_is_refused(world, episode_settings, changed, words):
    trained = world.samples["study"] < "S05"
    batch = pd.DataFrame(
        {"sample": world.samples["sample"], "key": "batch", "value": trained.map({True: "b0", False: "b1"})}
    )
    age = pd.DataFrame({"sample": world.samples["sample"][trained], "key": "age", "value": "3"})
    world.attributes = pd.concat([world.attributes, batch, age])
    with pytest.raises(InputError, match=rf"fewshot\.tasks\.tissue: .*{words}"):
        plan(world, episode_settings(**changed))


def test_missing_validation_episodes_are_said_and_do_not_stop_the_test_episodes(world, episode_settings):
    world.splits["role"] = world.splits["role"].replace("validation", "pretrain")
    episodes, found = plan(world, episode_settings())
    assert found["planned"] == 12
    assert found["validation"] == {"planned": 0, "reason": "no sample of a validation study has the label 'tissue'"}
    assert set(episodes["role"]) == {"test"}


def test_samples_with_conflicting_labels_or_copies_are_left_out_and_counted(world, episode_settings):
    first = world.samples["sample"][world.samples["study"] == "S10"].tolist()
    more = pd.DataFrame({"sample": [first[0], first[1]], "key": "tissue", "value": ["muscle", "liver "]})
    world.attributes = pd.concat([world.attributes, more])  # first[0] is brain: conflict; first[1] is liver: agrees
    world.samples = world.samples.assign(content=[f"hash{n}" for n in range(len(world.samples))])
    copies = world.samples["sample"].isin([first[2], "S11.03"])
    world.samples.loc[copies, "content"] = "same"
    episodes, found = plan(world, episode_settings(protocol="within_study", episodes=300, query_per_class=99))
    assert found["samples"]["conflicting label"] == 1
    assert found["samples"]["duplicated sample"] == 2
    assert not set(episodes["sample"]) & {first[0], first[2], "S11.03"}
    assert first[1] in set(episodes["sample"])


def test_no_animal_is_on_both_sides_of_an_episode(world, episode_settings):
    animals = world.samples["study"] + "." + (world.samples["sample"].str[-2:].astype(int) // 6).astype(str)
    more = pd.DataFrame({"sample": world.samples["sample"], "key": "animal", "value": animals})
    world.attributes = pd.concat([world.attributes, more])  # animals of 6, 6 and 3 samples, 2, 2 and 1 of each tissue
    settings = episode_settings(protocol="within_study", group="animal", query_per_class=9)
    episodes, found = plan(world, settings, Cell("tissue", 2, 1))
    assert found["planned"] == 12
    episodes["animal"] = episodes["sample"].map(dict(zip(world.samples["sample"], animals, strict=True)))
    for _, episode in episodes.groupby(["role", "episode"]):
        assert episode.groupby("animal")["part"].nunique().eq(1).all()
    animals = world.samples["study"]  # one animal per study: nothing can be asked
    world.attributes.loc[world.attributes["key"] == "animal", "value"] = animals
    episodes, found = plan(world, settings, Cell("tissue", 2, 1))
    assert found["planned"] == 0
    assert "outside its own values of 'animal'" in found["reason"]
    with pytest.raises(InputError, match=r"no attribute 'cage'.*change the group of the task"):
        plan(world, episode_settings(group="cage"))


def test_missing_labels_are_left_out_and_unknown_names_refused(world, episode_settings):
    world.attributes.loc[:, "value"] = world.attributes["value"].where(world.samples["study"] != "S10", None)
    episodes, found = plan(world, episode_settings(episodes=40))
    assert found["samples"]["no label"] == 15
    assert "S10" not in set(episodes["study"])
    with pytest.raises(InputError, match=r"no attribute 'tisue'; attributes there: tissue"):
        plan(world, episode_settings(label="tisue"))
    with pytest.raises(InputError, match=r"no split 'other'; splits there: default"):
        plan(world, episode_settings(split="other"))


def test_a_sample_on_both_sides_is_refused(world, episode_settings):
    episodes, _ = plan(world, episode_settings())
    episodes.loc[0, "sample"] = episodes.loc[episodes["part"] == "query", "sample"].iloc[0]
    with pytest.raises(InputError, match="occurs more than once"):
        check_episodes(episodes)


@hypothesis_settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from("abcd"), st.integers(1, 6)), min_size=1, max_size=20),
    st.sampled_from([2, 3, 4, "all"]),
    st.integers(1, 4),
    st.sampled_from(["cross_study", "within_study", "leave_one_study_out"]),
)
def test_any_labelled_collection_gives_valid_episodes_or_a_reason(groups, way, shot, protocol):
    rows = [(f"S{study}", label) for study, label, count in groups for _ in range(count)]
    table = pd.DataFrame(rows, columns=["study", "value"])
    table["sample"], table["key"] = [f"x{n}" for n in range(len(table))], "k"
    assume(table["value"].nunique() > 1)  # else the task is refused
    splits = pd.DataFrame({"split": "d", "study": table["study"].unique(), "role": "test"})
    settings = EpisodeSettings("d", "k", protocol, episodes=6, validation_episodes=2, query_per_class=3)
    episodes, found = plan_cell(table[["sample", "study"]], table, splits, settings, Cell("k", way, shot), 0)
    assert (found["planned"] == 0) == bool(found["reason"])
    assert episodes["episode"].nunique() == found["planned"]
    for _, episode in episodes.groupby("episode"):
        support, query = (episode[episode["part"] == part] for part in ("support", "query"))
        assert (support.groupby(["study", "label"]).size() == shot).all()  # classes are balanced within each study
        assert support.groupby("study")["label"].nunique().nunique() == 1
        assert support["label"].nunique() == (way if way != "all" else query["label"].nunique()) >= 2
        assert np.unique(query["label"].value_counts()).size == 1
        assert set(query["label"]) == set(support["label"])
        assert episode["sample"].is_unique
        assert query["study"].nunique() == 1
        assert protocol == "leave_one_study_out" or support["study"].nunique() == 1
        assert (protocol == "within_study") == (set(query["study"]) <= set(support["study"]))

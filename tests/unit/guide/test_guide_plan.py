"""Plans: distinct pairs of clusters, classes and parts that are disjoint, and clear refusals."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
from scarceseq.errors import InputError
from scarceseq.guide.plan import Candidates, draw_parts, labels_of, plan_scouts
from scarceseq.guide.schemes import cluster_pairs, label_subsets, within_study
from scarceseq.pretrain import components

NO_LABELS = pd.DataFrame(columns=["sample", "key", "value"])


def candidates(points, studies=None, labels=None):
    """Samples that scouts may see."""
    return Candidates(lambda rows: points[rows], np.zeros(len(points)) if studies is None else studies, labels)


def clouds(sizes, generator):
    """Well separated point clouds, (points, 6), and the cloud of each point."""
    label = np.repeat(np.arange(len(sizes)), sizes)
    return generator.normal(size=(len(label), 6)) + 30 * np.eye(6)[label], label


def test_tasks_are_distinct_pairs_of_the_true_clouds(settings):
    points, cloud = clouds([10, 12, 14, 16], np.random.default_rng(1))
    tasks = cluster_pairs.draw_tasks(candidates(points, cloud), settings, 7)
    pairs = [tuple(sorted(set(cloud[rows]).pop() for rows in task)) for task in tasks]
    assert len(set(pairs)) == len(pairs) == 5
    for task in tasks:
        for rows in task:
            assert sorted(rows) == np.flatnonzero(cloud == cloud[rows[0]]).tolist()


def test_small_clusters_are_not_used(settings):
    points, cloud = clouds([10, 12, 14, 3], np.random.default_rng(1))
    tasks = cluster_pairs.draw_tasks(candidates(points, cloud), settings, 7)
    assert len(tasks) == 3, "three pairs are left, though five scouts were asked for"
    assert 3 not in {cloud[rows[0]] for task in tasks for rows in task}


def test_one_usable_cluster_is_refused(settings):
    points, cloud = clouds([30, 2], np.random.default_rng(1))
    with pytest.raises(InputError, match=r"form 1 clusters of at least 6 samples; at least 2 are needed"):
        cluster_pairs.draw_tasks(candidates(points, cloud), dataclasses.replace(settings, clusters=2), 7)


def test_too_few_samples_are_refused(settings):
    with pytest.raises(InputError, match="8 samples form 1 clusters"):
        cluster_pairs.draw_tasks(candidates(np.random.default_rng(1).normal(size=(8, 6))), settings, 7)


def test_number_of_clusters_is_lowered_to_what_the_samples_carry(settings, monkeypatch):
    asked = []
    monkeypatch.setattr(cluster_pairs, "cluster", lambda points, clusters, seed: asked.append(clusters) or points[:, 0])
    points = np.random.default_rng(1).normal(size=(20, 6))
    with pytest.raises(InputError):
        cluster_pairs.draw_tasks(candidates(points, None), dataclasses.replace(settings, clusters=30), 7)
    assert asked == [3]


def test_embedding_keeps_the_distances_of_a_low_rank_table():
    generator = np.random.default_rng(2)
    table = generator.normal(size=(12, 3)) @ generator.normal(size=(3, 40))
    scores = cluster_pairs.principal_components(lambda rows: table[rows], 12, 3, 0)
    distances = [np.linalg.norm(points[:, None] - points[None], axis=2) for points in (table, scores)]
    np.testing.assert_allclose(distances[0], distances[1], atol=1e-10)


@pytest.mark.parametrize("reduction", ["pca", "umap"])
def test_many_samples_are_read_in_blocks_and_form_the_same_clouds(settings, monkeypatch, reduction):
    points, cloud = clouds([40, 44, 48], np.random.default_rng(1))
    asked = []

    def read(rows):
        asked.append(len(rows))
        return torch.from_numpy(points[rows]).float()

    for module in (components, cluster_pairs):
        monkeypatch.setattr(module, "SAMPLES_AT_ONCE", 32)
    few = dataclasses.replace(settings, reduction=reduction, components=2, clusters=3)
    tasks = cluster_pairs.draw_tasks(Candidates(read, cloud, None), few, 7)
    assert max(asked) == 32
    assert sum(asked) == len(points) * (components.PASSES + 4)
    assert len(tasks) == 3
    for task in tasks:
        for rows in task:
            assert sorted(rows) == np.flatnonzero(cloud == cloud[rows[0]]).tolist()


def test_plan_is_balanced_disjoint_and_within_its_roles(matrix, base, settings):
    plan = plan_scouts(matrix, NO_LABELS, base, settings, 1)
    assert plan.columns.tolist() == ["scout", "sample", "label", "part"]
    assert not plan.duplicated(["scout", "sample"]).any(), "a sample is in one part of one class"
    allowed = set(matrix.samples[matrix.rows(settings.roles)])
    assert set(plan["sample"]) <= allowed
    counts = plan.groupby(["scout", "label", "part"]).size().unstack()
    assert (counts["held_out"] >= 1).all()
    assert (counts.sum(axis=1) <= settings.samples_per_class).all()
    assert plan["scout"].nunique() == settings.scouts


def test_plan_depends_on_the_seed_alone(matrix, base, settings):
    assert plan_scouts(matrix, NO_LABELS, base, settings, 1).equals(plan_scouts(matrix, NO_LABELS, base, settings, 1))
    assert not plan_scouts(matrix, NO_LABELS, base, settings, 1).equals(
        plan_scouts(matrix, NO_LABELS, base, settings, 2)
    )


def test_fewer_scouts_are_the_first_of_more(matrix, base, settings):
    more = plan_scouts(matrix, NO_LABELS, base, settings, 1)
    fewer = plan_scouts(matrix, NO_LABELS, base, dataclasses.replace(settings, scouts=2), 1)
    assert fewer.equals(more[more["scout"] < 2].reset_index(drop=True))


def test_two_samples_per_class_give_one_for_each_part(settings):
    parts = draw_parts([np.array([4, 5]), np.array([8, 9])], settings, 1)
    assert parts.groupby(["label", "part"]).size().tolist() == [1, 1, 1, 1]


def test_no_sample_with_a_role_is_said(matrix, base, settings):
    nobody = dataclasses.replace(matrix, roles=np.full(len(matrix.roles), "test"))
    with pytest.raises(InputError, match=r"no sample has a role in \['pretrain', 'scout'\]"):
        plan_scouts(nobody, NO_LABELS, base, settings, 1)


def test_umap_finds_the_clouds_too_and_is_repeatable(settings):
    points, cloud = clouds([20, 22, 24], np.random.default_rng(1))
    by_umap = dataclasses.replace(settings, reduction="umap", components=2, clusters=3)
    tasks = cluster_pairs.draw_tasks(candidates(points), by_umap, 7)
    assert len(tasks) == 3
    for task in tasks:
        for rows in task:
            assert sorted(rows) == np.flatnonzero(cloud == cloud[rows[0]]).tolist()
    again = cluster_pairs.draw_tasks(candidates(points), by_umap, 7)
    assert all(
        np.array_equal(one, two)
        for left, right in zip(tasks, again, strict=True)
        for one, two in zip(left, right, strict=True)
    )


LABELS = np.array(["liver"] * 7 + ["brain"] * 6 + ["lung"] * 8 + ["rare"] * 2 + [""] * 4)


def test_label_subsets_are_distinct_and_of_classes_that_are_large_enough(settings):
    three = dataclasses.replace(settings, label="tissue", classes_per_scout=2, scouts=9)
    tasks = label_subsets.draw_tasks(candidates(np.zeros((27, 2)), None, LABELS), three, 7)
    subsets = [tuple(LABELS[rows[0]] for rows in task) for task in tasks]
    assert sorted(subsets) == [("brain", "liver"), ("brain", "lung"), ("liver", "lung")]
    for task in tasks:
        for rows in task:
            assert rows.tolist() == np.flatnonzero(LABELS[rows[0]] == LABELS).tolist()
    with pytest.raises(InputError, match="'tissue' has 3 classes of at least 6 samples in the scouts' studies; 4 are"):
        label_subsets.draw_tasks(
            candidates(np.zeros((27, 2)), None, LABELS), dataclasses.replace(three, classes_per_scout=4), 7
        )
    with pytest.raises(InputError, match="needs the key `label`"):
        label_subsets.draw_tasks(candidates(np.zeros((27, 2)), None, LABELS), settings, 7)


def test_subsets_of_many_classes_are_drawn_without_listing_all():
    drawn = label_subsets._draw_subsets([f"c{n}" for n in range(60)], 3, 40, np.random.default_rng(1))
    assert len(set(drawn)) == 40
    assert all(len(set(subset)) == 3 for subset in drawn)


def test_contrasts_within_studies_never_mix_studies(settings):
    studies = np.repeat(["one", "two", "three"], 14)
    labels = np.tile(["treated"] * 7 + ["control"] * 7, 3)
    labels[studies == "three"] = "treated"
    contrasts = dataclasses.replace(settings, label="treatment", scouts=9)
    tasks = within_study.draw_tasks(candidates(np.zeros((42, 2)), studies, labels), contrasts, 7)
    found = {(*set(studies[np.concatenate(task)]), *(labels[rows[0]] for rows in task)) for task in tasks}
    assert found == {("one", "control", "treated"), ("two", "control", "treated")}
    assert all(len(set(studies[rows])) == len(set(labels[rows])) == 1 for task in tasks for rows in task)
    with pytest.raises(InputError, match="none of the scouts' studies has two classes of 'treatment'"):
        within_study.draw_tasks(candidates(np.zeros((42, 2)), studies, np.full(42, "treated")), contrasts, 7)


def test_labels_come_from_the_attributes_and_ambiguous_ones_are_left_out(matrix, base, settings):
    table = pd.DataFrame(
        [
            ("sample0", "tissue", "liver"),
            ("sample1", "tissue", " brain "),
            ("sample2", "tissue", "a"),
            ("sample2", "tissue", "b"),
        ],
        columns=["sample", "key", "value"],
    )
    assert labels_of(["sample0", "sample1", "sample2", "sample3"], table, "tissue").tolist() == [
        "liver",
        "brain",
        "",
        "",
    ]
    with pytest.raises(InputError, match="no attribute 'sex'; attributes there: tissue; change `label`"):
        labels_of(["sample0"], table, "sex")
    rows = matrix.rows(settings.roles)
    known = pd.DataFrame({"sample": matrix.samples[rows], "key": "tissue", "value": np.tile(list("abc"), 30)})
    scheme = dataclasses.replace(settings, scheme="label_subsets", label="tissue")
    plan = plan_scouts(matrix, known, base, scheme, 1)
    assert plan["scout"].nunique() == 1
    assert plan["label"].nunique() == 3


def test_shuffled_labels_keep_the_parts_and_their_sizes(settings):
    classes = [np.arange(12), np.arange(20, 32)]
    plain = draw_parts(classes, settings, 1)
    mixed = draw_parts(classes, dataclasses.replace(settings, shuffle_labels=True), 1)
    assert mixed[["row", "part"]].equals(plain[["row", "part"]])
    sizes = [table.groupby(["part", "label"]).size().tolist() for table in (plain, mixed)]
    assert sizes[0] == sizes[1]
    assert 0 < (mixed["label"] != plain["label"]).mean() < 1

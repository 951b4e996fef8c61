"""Plans: distinct pairs of clusters, classes and parts that are disjoint, and clear refusals."""

import dataclasses

import numpy as np
import pytest
from scarceseq.errors import InputError
from scarceseq.guide.plan import draw_parts, plan_scouts
from scarceseq.guide.schemes import cluster_pairs


def clouds(sizes, generator):
    """Well separated point clouds, (points, 6), and the cloud of each point."""
    label = np.repeat(np.arange(len(sizes)), sizes)
    return generator.normal(size=(len(label), 6)) + 30 * np.eye(6)[label], label


def test_tasks_are_distinct_pairs_of_the_true_clouds(settings):
    points, cloud = clouds([10, 12, 14, 16], np.random.default_rng(1))
    tasks = cluster_pairs.draw_tasks(points, cloud, settings, 7)
    pairs = [tuple(sorted(set(cloud[rows]).pop() for rows in task)) for task in tasks]
    assert len(set(pairs)) == len(pairs) == 5
    for task in tasks:
        for rows in task:
            assert sorted(rows) == np.flatnonzero(cloud == cloud[rows[0]]).tolist()


def test_small_clusters_are_not_used(settings):
    points, cloud = clouds([10, 12, 14, 3], np.random.default_rng(1))
    tasks = cluster_pairs.draw_tasks(points, cloud, settings, 7)
    assert len(tasks) == 3, "three pairs are left, though five scouts were asked for"
    assert 3 not in {cloud[rows[0]] for task in tasks for rows in task}


def test_one_usable_cluster_is_refused(settings):
    points, cloud = clouds([30, 2], np.random.default_rng(1))
    with pytest.raises(InputError, match=r"form 1 clusters of at least 6 samples; at least 2 are needed"):
        cluster_pairs.draw_tasks(points, cloud, dataclasses.replace(settings, clusters=2), 7)


def test_too_few_samples_are_refused(settings):
    with pytest.raises(InputError, match="8 samples form 1 clusters"):
        cluster_pairs.draw_tasks(np.random.default_rng(1).normal(size=(8, 6)), None, settings, 7)


def test_number_of_clusters_is_lowered_to_what_the_samples_carry(settings, monkeypatch):
    asked = []
    monkeypatch.setattr(cluster_pairs, "cluster", lambda points, clusters, seed: asked.append(clusters) or points[:, 0])
    points = np.random.default_rng(1).normal(size=(20, 6))
    with pytest.raises(InputError):
        cluster_pairs.draw_tasks(points, None, dataclasses.replace(settings, clusters=30), 7)
    assert asked == [3]


def test_embedding_keeps_the_distances_of_a_low_rank_table():
    generator = np.random.default_rng(2)
    table = generator.normal(size=(12, 3)) @ generator.normal(size=(3, 40))
    scores = cluster_pairs.embed(table, 3)
    distances = [np.linalg.norm(points[:, None] - points[None], axis=2) for points in (table, scores)]
    np.testing.assert_allclose(distances[0], distances[1], atol=1e-10)


def test_plan_is_balanced_disjoint_and_within_its_roles(matrix, base, settings):
    plan = plan_scouts(matrix, base, settings, 1)
    assert plan.columns.tolist() == ["scout", "sample", "label", "part"]
    assert not plan.duplicated(["scout", "sample"]).any(), "a sample is in one part of one class"
    allowed = set(matrix.samples[matrix.rows(settings.roles)])
    assert set(plan["sample"]) <= allowed
    counts = plan.groupby(["scout", "label", "part"]).size().unstack()
    assert (counts["held_out"] >= 1).all()
    assert (counts.sum(axis=1) <= settings.samples_per_class).all()
    assert plan["scout"].nunique() == settings.scouts


def test_plan_depends_on_the_seed_alone(matrix, base, settings):
    assert plan_scouts(matrix, base, settings, 1).equals(plan_scouts(matrix, base, settings, 1))
    assert not plan_scouts(matrix, base, settings, 1).equals(plan_scouts(matrix, base, settings, 2))


def test_fewer_scouts_are_the_first_of_more(matrix, base, settings):
    more = plan_scouts(matrix, base, settings, 1)
    fewer = plan_scouts(matrix, base, dataclasses.replace(settings, scouts=2), 1)
    assert fewer.equals(more[more["scout"] < 2].reset_index(drop=True))


def test_two_samples_per_class_give_one_for_each_part(settings):
    parts = draw_parts([np.array([4, 5]), np.array([8, 9])], settings, 1)
    assert parts.groupby(["label", "part"]).size().tolist() == [1, 1, 1, 1]


def test_no_sample_with_a_role_is_said(matrix, base, settings):
    nobody = dataclasses.replace(matrix, roles=np.full(len(matrix.roles), "test"))
    with pytest.raises(InputError, match=r"no sample has a role in \['pretrain', 'scout'\]"):
        plan_scouts(nobody, base, settings, 1)

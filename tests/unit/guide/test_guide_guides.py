"""Guides: min-max by hand, guards, and what is said about them."""

import dataclasses

import numpy as np
import pytest
import torch
from scarceseq.errors import InputError
from scarceseq.guide import displacement as displacements
from scarceseq.guide.adjustments import NORMALISATIONS, TEMPERATURES, adjusted
from scarceseq.guide.displacement import Displacement, mean_over_scouts
from scarceseq.guide.guides import check_scouts, describe, gene_mobility, make_guide, over_all, per_tensor
from scarceseq.guide.tables import accuracy_table, mobility_table


def moved(**values):
    return {name: torch.tensor(value, dtype=torch.float64) for name, value in values.items()}


def test_per_tensor_by_hand():
    guide = per_tensor(moved(a=[[1.0, 2.0], [3.0, 5.0]], b=[0.0, 0.1]))
    np.testing.assert_allclose(guide["a"], [[0, 0.25], [0.5, 1]])
    np.testing.assert_allclose(guide["b"], [0, 1])
    assert all(values.dtype == torch.float32 for values in adjusted(guide).values())


def test_global_by_hand():
    guide = over_all(moved(a=[[1.0, 2.0], [3.0, 5.0]], b=[0.0, 0.5]))
    np.testing.assert_allclose(guide["a"], [[0.2, 0.4], [0.6, 1]])
    np.testing.assert_allclose(guide["b"], [0, 0.1])


@pytest.mark.parametrize("make", [per_tensor, over_all])
def test_tensor_without_a_range_is_free_if_it_moved_and_fixed_if_not(make):
    assert make(moved(a=[0.3]))["a"].tolist() == [1.0]
    assert make(moved(a=[0.0]))["a"].tolist() == [0.0]
    assert make(moved(a=[[0.3, 0.3], [0.3, 0.3]]))["a"].tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_one_element_tensor_is_scaled_with_the_others_globally():
    guide = over_all(moved(a=[0.0, 4.0], b=[1.0]))
    assert guide["b"].tolist() == [0.25]
    assert per_tensor(moved(a=[0.0, 4.0], b=[1.0]))["b"].tolist() == [1.0]


@pytest.mark.parametrize("kind", ["squared", "absolute"])
def test_mean_is_over_kept_scouts_of_all_blocks(tmp_path, kind):
    start, gradient = ({"encoder.weight": torch.tensor(value)} for value in ([1.0, 0.0, 0.0], [2.0, 0.0, -1.0]))
    for block, moves in enumerate(([[1.0, 0, 2], [3, 0, 0]], [[2, -2, 0]])):
        displacement = Displacement(start, kind)
        for move in moves:
            final = {"encoder.weight": start["encoder.weight"] + torch.tensor(move)}
            displacement.add(start, final, gradient)
        displacement.save(tmp_path / f"{block}.safetensors")
    paths = [tmp_path / "0.safetensors", tmp_path / "1.safetensors"]
    moved, fisher = (mean_over_scouts(paths, 3, group)["encoder.weight"] for group in ("moved", "fisher"))
    np.testing.assert_allclose(moved, np.array({"squared": [14, 4, 4], "absolute": [6, 2, 2]}[kind]) / 3, rtol=1e-15)
    np.testing.assert_allclose(fisher, [4.0, 0.0, 1.0])


@pytest.mark.parametrize("kind", ["squared", "absolute"])
def test_sums_are_the_same_with_numba_and_without_whatever_fits_the_cache(kind, monkeypatch):
    generator = torch.Generator().manual_seed(1)
    start, final, gradient = ({"w": torch.rand(7, 9, generator=generator)} for _ in range(3))
    assert displacements.compiled is not None, "numba is part of the environment"
    sums = []
    for compiled, chunk in ((displacements.compiled, 1), (None, 4), (None, 10_000)):
        monkeypatch.setattr(displacements, "compiled", compiled)
        monkeypatch.setattr(displacements, "CHUNK", chunk)
        displacement = Displacement(start, kind)
        displacement.add(start, {"w": torch.nn.Parameter(final["w"].T.contiguous().T)}, gradient)
        sums.append(displacement)
    moved = np.abs(final["w"].numpy().astype(np.float64) - start["w"].numpy())
    for found in sums:
        np.testing.assert_array_equal(found.moved["w"], moved**2 if kind == "squared" else moved)
        np.testing.assert_array_equal(found.fisher["w"], gradient["w"].numpy().astype(np.float64) ** 2)


def test_mean_of_a_head_is_over_its_classes_too(tmp_path):
    start = {"head.weight": torch.zeros(2, 3)}
    displacement = Displacement({}, "squared")
    displacement.add(start, {"head.weight": torch.tensor([[1.0, 2, 3], [3, 0, 1]])}, start)
    displacement.save(tmp_path / "0")
    assert mean_over_scouts([tmp_path / "0"], 1, "moved")["head.weight"].tolist() == [[5.0, 2.0, 5.0]]


# What the options of the published library make of these values, worked out by hand.
VALUES = [0.2, 0.4, 0.6, 1.0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("min_max", [0.0, 0.25, 0.5, 1.0]),
        ("by_maximum", [0.2, 0.4, 0.6, 1.0]),
        ("from_minimum", [0.0, 0.2, 0.4, 0.8]),
        ("raw", [0.2, 0.4, 0.6, 1.0]),
    ],
)
def test_normalisations_by_hand(name, expected):
    values = torch.tensor(VALUES, dtype=torch.float64)
    np.testing.assert_allclose(NORMALISATIONS[name](values, values.min(), values.max()), expected, atol=1e-15)
    constant = torch.tensor([0.3, 0.3], dtype=torch.float64)
    for moved in (constant, constant[:1], 0 * constant):
        assert NORMALISATIONS[name](moved, moved.min(), moved.max()).isfinite().all()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("room", [0.2, 0.4, 0.6, 1.0]),
        ("chilly", [0.0, 0.2, 0.4, 0.8]),
        ("icy", [0.0, 0.0, 0.2, 1.0]),
        ("freezing", [0.0, 0.0, 0.0, 1.0]),
        ("step", [0.0, 0.0, 0.0, 1.0]),
        ("warm", [0.6, 0.7, 0.8, 1.0]),
        ("evaporating", [1.05, 1.1, 1.15, 1.25]),
    ],
)
def test_temperatures_by_hand(name, expected):
    values = torch.tensor(VALUES, dtype=torch.float64)
    np.testing.assert_allclose(TEMPERATURES[name](values), expected, atol=1e-15)
    assert TEMPERATURES[name](values[:1]).isfinite().all()


def test_freezing_keeps_the_top_hundredth():
    frozen = TEMPERATURES["freezing"](torch.arange(300.0).view(30, 10))
    assert frozen.sum() == 3
    assert frozen.flatten()[-3:].tolist() == [1.0, 1.0, 1.0]


def test_scale_comes_before_the_threshold_of_sparseness():
    guide = {"a": torch.tensor(VALUES)}
    np.testing.assert_allclose(adjusted(guide, scale=0.5)["a"], [0.1, 0.2, 0.3, 0.5])
    np.testing.assert_allclose(adjusted(guide, scale=0.5, sparse_below=0.25)["a"], [0.0, 0.0, 0.3, 0.5])
    np.testing.assert_allclose(adjusted(guide, sparse_below=0.1)["a"], VALUES)


def test_guide_is_made_as_the_scheme_says(settings):
    means = {"moved": moved(a=[1.0, 2.0, 5.0], b=[0.0, 10.0]), "fisher": moved(a=[4.0, 0.0, 1.0], b=[1.0, 1.0])}
    warm = dataclasses.replace(settings, temperature="warm", normalisation="by_maximum")
    np.testing.assert_allclose(make_guide("per_tensor", means, settings)["a"], [0.0, 0.25, 1.0])
    np.testing.assert_allclose(make_guide("per_tensor", means, warm)["a"], [0.6, 0.7, 1.0])
    np.testing.assert_allclose(make_guide("global", means, settings)["a"], [0.1, 0.2, 0.5])
    np.testing.assert_allclose(make_guide("fisher", means, settings)["a"], [1.0, 0.0, 0.25])
    np.testing.assert_allclose(make_guide("fisher", means, settings)["b"], [1.0, 1.0])


def test_description_by_hand():
    summary = describe({"a": torch.tensor([0.0, 0.25, 0.5, 1.0, 1.0])})["a"]
    assert summary["weights"] == 5
    assert summary["mean"] == pytest.approx(0.55)
    assert summary["quantiles"]["0.5"] == 0.5
    expected = np.histogram([0.0, 0.25, 0.5, 1.0, 1.0], bins=20, range=(0, 1))[0]
    assert summary["histogram"] == expected.tolist()


def test_gene_mobility_is_the_mean_over_the_first_layers_inputs():
    guide = {"encoder.0.bias": torch.ones(2), "encoder.0.weight": torch.tensor([[0.0, 0.5, 1.0], [0.2, 0.5, 0.0]])}
    np.testing.assert_allclose(gene_mobility(guide, 3), [0.1, 0.5, 0.5], rtol=1e-6)
    table = mobility_table(gene_mobility(guide, 3), ["g3", "g2", "g1"], ["c", "b", "a"])
    assert table["gene_id"].tolist() == ["g1", "g2", "g3"], "ties by gene id"
    assert table["rank"].tolist() == [1, 2, 3]


def test_gene_mobility_counts_every_matrix_over_the_genes():
    guide = {"a": torch.tensor([[0.0, 0.4]]), "b": torch.tensor([[0.3, 1.0], [0.6, 0.1]]), "c": torch.ones(5, 3)}
    np.testing.assert_allclose(gene_mobility(guide, 2), [0.3, 0.5], rtol=1e-6)


def test_guide_without_a_layer_over_the_genes_is_refused():
    with pytest.raises(InputError, match="no weight matrix over 4 genes"):
        gene_mobility({"encoder.0.weight": torch.ones(2, 3)}, 4)


def test_no_kept_scout_is_said():
    outcomes = [{"scout": 0, "train_accuracy": 1.0, "held_out_accuracy": 0.4, "kept": False}]
    with pytest.raises(InputError, match=r"none of 1 scouts was kept \(best held-out accuracy 0.400\)"):
        check_scouts(outcomes)
    assert accuracy_table(outcomes)["kept"].tolist() == [False]

"""Guides: min-max by hand, guards, and what is said about them."""

import numpy as np
import pytest
import torch
from scarceseq.errors import InputError
from scarceseq.guide.displacement import Displacement, mean_displacement
from scarceseq.guide.guides import check_scouts, describe, gene_mobility, over_all, per_tensor
from scarceseq.guide.tables import accuracy_table, mobility_table


def moved(**values):
    return {name: torch.tensor(value, dtype=torch.float64) for name, value in values.items()}


def test_per_tensor_by_hand():
    guide = per_tensor(moved(a=[[1.0, 2.0], [3.0, 5.0]], b=[0.0, 0.1]))
    np.testing.assert_allclose(guide["a"], [[0, 0.25], [0.5, 1]])
    np.testing.assert_allclose(guide["b"], [0, 1])
    assert all(values.dtype == torch.float32 for values in guide.values())


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


def test_mean_is_over_kept_scouts_of_all_blocks(tmp_path):
    start = {"encoder.weight": torch.zeros(3)}
    for block, moves in enumerate(([[1.0, 0, 2], [3, 0, 0]], [[2, -2, 0]])):
        displacement = Displacement(start)
        for move in moves:
            displacement.add({"encoder.weight": torch.tensor(move)})
        displacement.save(tmp_path / f"{block}.safetensors")
    paths = [tmp_path / "0.safetensors", tmp_path / "1.safetensors"]
    squared, absolute = (mean_displacement(paths, 3, kind)["encoder.weight"] for kind in ("squared", "absolute"))
    np.testing.assert_allclose(squared, np.array([14, 4, 4]) / 3, rtol=1e-15)
    np.testing.assert_allclose(absolute, np.array([6, 2, 2]) / 3, rtol=1e-15)


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

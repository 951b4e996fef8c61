"""Graphs made of other graphs keep what they promise and change the rest; co-expression of control cells."""

import anndata
import numpy as np
import pandas as pd
import pytest
from scarceseq.errors import InputError
from scarceseq.files import write_table
from scarceseq.network.build import build_graph
from scarceseq.network.kinds.rewired import rewire_targets, swap_targets
from scipy import sparse


@pytest.fixture
def base(tmp_path):
    """A directed graph of 60 genes and some 600 edges."""
    generator = np.random.default_rng(0)
    pairs = sorted({tuple(pair) for pair in generator.integers(60, size=(700, 2)) if pair[0] != pair[1]})
    edges = pd.DataFrame([(f"G{a:02d}", f"G{b:02d}") for a, b in pairs], columns=["source", "target"])
    edges["weight"] = generator.uniform(0.1, 1, len(edges))
    write_table(edges, tmp_path / "base.parquet")
    return edges, {"graphs": [str(tmp_path / "base.parquet")]}


def derived(kind, inputs, seed=1, **settings):
    return build_graph(kind, {"kind": kind, "of": ["base"]} | settings, inputs, seed)


def pairs(edges):
    return set(zip(edges["source"], edges["target"], strict=True))


def test_rewiring_keeps_degrees_and_little_else(base):
    before, inputs = base
    after, _ = derived("rewired", inputs)
    for end in ("source", "target"):
        pd.testing.assert_series_equal(before.groupby(end).size(), after.groupby(end).size())
    assert len(pairs(after)) == len(after) == len(before)
    assert (after["source"] != after["target"]).all()
    weight = after.groupby("source")["weight"].apply(sorted)
    assert weight.equals(before.groupby("source")["weight"].apply(sorted))
    assert len(pairs(after) & pairs(before)) < 0.3 * len(before)


def test_shuffling_keeps_the_graph_up_to_names(base):
    before, inputs = base
    after, _ = derived("shuffled", inputs)
    assert sorted(before["weight"]) == sorted(after["weight"])
    for end in ("source", "target"):
        assert sorted(before.groupby(end).size()) == sorted(after.groupby(end).size())
    assert len(pairs(after) & pairs(before)) < 0.4 * len(before)
    # the same renaming everywhere: each weight tells the new name of both of its ends
    joined = before.merge(after, on="weight", suffixes=("", "_new"))
    names = set(zip(joined["source"], joined["source_new"], strict=True))
    names |= set(zip(joined["target"], joined["target_new"], strict=True))
    assert len(names) == len({old for old, _ in names}) == len({new for _, new in names})


def test_thinning_removes_the_share_of_links_and_changes_no_other(base):
    before, inputs = base
    after, summary = derived("thinned", inputs, removed_share=0.25)
    links = {frozenset(pair) for pair in pairs(before)}
    left = {frozenset(pair) for pair in pairs(after)}
    assert len(links) - len(left) == round(0.25 * len(links))
    assert pairs(after) == {pair for pair in pairs(before) if frozenset(pair) in left}
    assert summary["provenance"]["counts"]["links"] == len(links)


@pytest.mark.parametrize(("kind", "settings"), [("rewired", {}), ("shuffled", {}), ("thinned", {"removed_share": 0.5})])
def test_random_graphs_are_set_by_the_seed_and_their_name(base, kind, settings):
    _, inputs = base
    first, again, other = (derived(kind, inputs, seed, **settings)[0] for seed in (1, 1, 2))
    assert first.equals(again)
    assert pairs(first) != pairs(other)


def test_a_union_has_every_edge_with_its_largest_weight(tmp_path):
    for name, rows in {"a": [("X", "Y", 0.2), ("Y", "Z", 0.5)], "b": [("X", "Y", 0.9)]}.items():
        write_table(pd.DataFrame(rows, columns=["source", "target", "weight"]), tmp_path / f"{name}.parquet")
    inputs = {"graphs": [str(tmp_path / "a.parquet"), str(tmp_path / "b.parquet")]}
    edges, _ = build_graph("u", {"kind": "union", "of": ["a", "b"]}, inputs)
    assert edges.to_numpy().tolist() == [["X", "Y", 0.9], ["Y", "Z", 0.5]]
    with pytest.raises(InputError, match="one other graph"):
        derived("shuffled", inputs)


def test_coexpression_of_control_cells_does_not_see_perturbed_ones(tmp_path):
    generator = np.random.default_rng(0)
    values = generator.uniform(0, 1, size=(80, 5))
    values[:, 1] = values[:, 0] + 0.1 * generator.uniform(size=80)
    values[:, 4] = 0.5
    data = anndata.AnnData(sparse.csr_matrix(values))
    data.var_names = list("ABCDE")
    data.obs["perturbation"] = ["control"] * 50 + ["A"] * 30
    settings = {"kind": "control_coexpression", "screen": "s", "min_correlation": 0.5, "top_k": 20}
    data.write_h5ad(tmp_path / "cells.h5ad")
    edges, summary = build_graph("c", settings, {"cells": tmp_path / "cells.h5ad"})
    expected = abs(np.corrcoef(values[:50, 0], values[:50, 1])[0, 1])
    assert edges[["source", "target"]].to_numpy().tolist() == [["B", "A"], ["A", "B"]]
    assert edges["weight"].tolist() == pytest.approx([expected] * 2, abs=2e-6)
    assert summary["provenance"]["counts"] == {"cells": 50, "genes": 4}
    values[50:] = generator.uniform(size=(30, 5))
    data.X = sparse.csr_matrix(values)
    data.write_h5ad(tmp_path / "changed.h5ad")
    again, _ = build_graph("c", settings, {"cells": tmp_path / "changed.h5ad"})
    pd.testing.assert_frame_equal(edges, again)


def test_rewiring_in_blocks_is_rewiring_at_once():
    generator = np.random.default_rng(4)
    source, target = generator.integers(40, size=(2, 200))
    kept = np.unique(np.stack([source, target])[:, source != target], axis=1)
    at_once, in_blocks = kept[1].copy(), kept[1].copy()
    pairs = generator.integers(kept.shape[1], size=(10 * kept.shape[1], 2))
    swapped = swap_targets(kept[0].copy(), at_once, 40, pairs)
    assert rewire_targets(kept[0].copy(), in_blocks, 40, pairs) == swapped > 100
    np.testing.assert_array_equal(at_once, in_blocks)

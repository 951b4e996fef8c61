"""Doubles kept: names, cells, profiles and splits. Oracles: counts of GEARS' own split of Norman's screen, loops."""

import json
from collections import Counter
from dataclasses import replace
from itertools import permutations, product

import anndata
import numpy as np
import pandas as pd
import pytest
from scarceseq.errors import InputError
from scarceseq.screen.agreement import targeted_gene_mask
from scarceseq.screen.cell_normalisation import normalise_cells
from scarceseq.screen.combinations import (
    combined,
    genes_of,
    read_published_split,
    split_doubles,
    strata_of,
)
from scarceseq.screen.prepare import prepare_screen
from scarceseq.screen.profiles import read_profiles
from scarceseq.screen.underscores import underscored_doubles
from small_screen import make_screen, settings

NAMES = [f"A{gene:02d}" for gene in range(30)]
DOUBLES = [combined(pair) for pair in zip(NAMES, NAMES[1:] + NAMES[:1], strict=True)]
DOUBLES += [combined(pair) for pair in zip(NAMES[:28], NAMES[2:], strict=True)]


def test_cells_of_doubles_are_kept_under_one_name_and_those_of_three_genes_set_aside(tmp_path):
    labels = ["NT"] * 40 + ["G1"] * 20 + ["G2"] * 20 + ["G3+NT"] * 20
    labels += ["G2+G1"] * 12 + ["G1,G2"] * 13 + ["G1+G2+G3"] * 15 + ["G3+G3"] * 14
    make_screen(labels, raised={"G1": 5}).write_h5ad(tmp_path / "screen.h5ad")
    chosen = settings(doubles=True)
    counts = normalise_cells(tmp_path / "screen.h5ad", tmp_path / "cells.h5ad", chosen, {"G3": "G3new"})
    cells = anndata.read_h5ad(tmp_path / "cells.h5ad")
    expected = {"NT": 40, "G1": 20, "G2": 20, "G3new": 20, "G1+G2": 25}
    expected["control"] = expected.pop("NT")
    assert cells.obs["perturbation"].value_counts().to_dict() == expected
    assert (counts["combinations"], counts["cells_of_combinations"]) == (2, 29)
    assert not cells.obs.loc[cells.obs["perturbation"] == "G1+G2", "target_expressed"].any()
    prepared = prepare_screen("s", str(tmp_path / "cells.h5ad"), chosen, 1)
    profiles = prepared["profiles"].to_df()
    rows = cells.obs["perturbation"].to_numpy()
    values = cells.X.toarray().astype(float)
    truth = values[rows == "G1+G2"].mean(axis=0) - values[rows == "control"].mean(axis=0)
    np.testing.assert_allclose(profiles.loc["G1+G2"], truth, atol=1e-6)
    assert prepared["summary"]["doubles"] == 1
    assert prepared["joins"][0].given == ["G1", "G2", "G3new"]


def test_without_the_key_doubles_are_set_aside_as_before(tmp_path):
    make_screen(["NT"] * 40 + ["G1"] * 20 + ["G2"] * 20 + ["G2+G1"] * 12).write_h5ad(tmp_path / "screen.h5ad")
    counts = normalise_cells(tmp_path / "screen.h5ad", tmp_path / "cells.h5ad", settings(), {})
    assert (counts["perturbations"], counts["combinations"], counts["cells_of_combinations"]) == (2, 1, 12)


def test_mean_profiles_of_doubles_are_kept(tmp_path):
    table = pd.DataFrame(np.eye(4), columns=["G1", "G2", "G3", "G4"], index=["G2+G1", "G1+G2", "old", "G1+G2+G3"])
    table.to_csv(tmp_path / "profiles.tsv", sep="\t")
    chosen = settings(kind="profiles", doubles=True, perturbation_column=None, control=None)
    profiles, counts = read_profiles(str(tmp_path / "profiles.tsv"), chosen, {"old": "G4"})
    assert list(profiles.obs_names) == ["G1+G2", "G4"]
    np.testing.assert_allclose(profiles.X[0], [0.5, 0.5, 0, 0])
    assert counts["rows_of_combinations"] == 1


def test_both_genes_of_a_double_do_not_count():
    mask = targeted_gene_mask(["G2+G7", "G1", "elsewhere+G2"], ["G1", "G2", "G3", "G7"])
    assert (~mask).tolist() == [[False, True, False, True], [True, False, False, False], [False, True, False, False]]


def test_splits_are_by_gene_and_the_pool_has_its_share_of_seen_doubles():
    table = split_doubles(NAMES + DOUBLES, settings(splits=6, test_share=0.2, pool_doubles=0.75), 3)
    for _, split in table.groupby("split"):
        role = split.set_index("perturbation")["role"]
        assert sorted(role.index) == sorted(NAMES + DOUBLES)
        unseen = {name for name in NAMES if role[name] == "test"}
        assert len(unseen) == 6
        seen = [name for name in DOUBLES if not unseen & set(genes_of(name))]
        assert all(role[name] == "test" for name in set(DOUBLES) - set(seen))
        assert (role[seen] == "pool").sum() == int(0.75 * len(seen))
        pool, test = (role.index[role == side] for side in ("pool", "test"))
        strata = dict(zip(test, strata_of(test, pool), strict=True))
        for name, stratum in strata.items():
            genes = genes_of(name)
            expected = "single" if len(genes) == 1 else f"seen{2 - len(unseen & set(genes))}"
            assert stratum == expected
        assert set(strata.values()) == {"single", "seen0", "seen1", "seen2"}
    assert table.equals(split_doubles(NAMES + DOUBLES, settings(splits=6, test_share=0.2, pool_doubles=0.75), 3))


def test_singles_alone_can_be_learned_from():
    table = split_doubles(NAMES + DOUBLES, settings(splits=2, test_share=0.2, pool_doubles=0), 3)
    assert not table.loc[table["role"] == "pool", "perturbation"].str.contains("+", regex=False).any()


def test_the_split_of_norman_that_gears_published_is_read(shared_data):
    """Oracle: the 107 test conditions counted by hand: 9, 43 and 19 doubles of 0, 1 and 2 seen genes, 36 single."""
    path = shared_data / "perturb/gears_splits/norman_perturbation_splits.json"
    with open(path) as handle:
        lists = json.load(handle)
    names = {combined(gene for gene in genes_of(name) if gene != "ctrl") for side in lists.values() for name in side}
    table = read_published_split(path, sorted(names - {""}))
    pool, test = (table.loc[table["role"] == role, "perturbation"].to_numpy() for role in ("pool", "test"))
    strata = Counter(strata_of(test, pool))
    assert {name: strata[name] for name in ("seen0", "seen1", "seen2")} == {"seen0": 9, "seen1": 43, "seen2": 19}
    # no double of the pool has a gene that only tested perturbations have
    assert {gene for name in pool for gene in genes_of(name)}.isdisjoint(name for name in test if "+" not in name)
    assert len(pool) + len(test) == len(names) - 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[1, 2]", "this is no split"),
        ('{"train": ["A"]}', "this is no split"),
        ('{"train": ["A+ctrl"], "test": ["ctrl+A", "B"]}', "A is to be learned from and tested"),
        ('{"train": ["A"], "test": ["C"]}', "none of the 2 perturbations of the screen is for the test"),
    ],
)
def test_a_file_that_is_no_split_is_refused(tmp_path, content, message):
    (tmp_path / "split.json").write_text(content)
    with pytest.raises(InputError, match=message):
        read_published_split(tmp_path / "split.json", ["A", "B+D"])


def test_a_share_that_leaves_one_side_empty_is_refused():
    with pytest.raises(InputError, match="change the screen's key test_share"):
        split_doubles(["A", "B", "A+B"], settings(splits=2, test_share=0.9), 1)


def test_doubles_of_a_real_screen_are_kept(shared_data, tmp_path):
    """Oracle: numbers of the published table: 18 single-gene perturbations and 15 doubles."""
    chosen = settings(perturbation_column=None, control=None, values="auto", min_cells=4, doubles=True)
    chosen = replace(chosen, keep_cells={"dataset": "norman19"}, minimum_matched_share=0)
    source = shared_data / "perturb/cells/perturbench_devel.h5ad"
    counts = normalise_cells(source, tmp_path / "cells.h5ad", chosen, {})
    assert (counts["perturbations"], counts["combinations"]) == (33, 0)


def test_doubles_with_underscores_are_kept_where_both_names_are_genes_or_perturbations(tmp_path):
    labels = ["NT"] * 40 + ["G1"] * 20 + ["outside"] * 20 + ["G1_G2"] * 12 + ["G2+G1"] * 3 + ["outside_G1"] * 11
    labels += ["G1_nowhere"] * 13
    screen = make_screen(labels)
    screen.obs["nperts"] = [0] * 40 + [1] * 40 + [2] * 39
    screen.write_h5ad(tmp_path / "screen.h5ad")
    chosen = settings(doubles=True)
    counts = normalise_cells(tmp_path / "screen.h5ad", tmp_path / "cells.h5ad", chosen, {})
    found = anndata.read_h5ad(tmp_path / "cells.h5ad").obs["perturbation"].value_counts().to_dict()
    assert found == {"control": 40, "G1": 20, "outside": 20, "G1+G2": 15, "G1+outside": 11}
    assert counts["doubles_with_underscore"] == 2


def test_a_label_with_underscores_is_read_in_the_one_way_there_is_or_refused():
    """Oracle: every two names that are put together, for all labels of up to four words."""
    names = {"A", "B", "A_B", "B_A", "A_A", "C_B"}
    together = Counter("_".join(pair) for pair in permutations(names, 2))
    outcomes = Counter()
    for size in (1, 2, 3, 4):
        for label in map("_".join, product("ABC", repeat=size)):
            ways = together[label]
            if ways > 1 or (ways and label in names):
                with pytest.raises(InputError, match="can be read as"):
                    underscored_doubles([label], lambda name: name if name in names else None, "f")
                outcomes["refused"] += 1
            else:
                read = underscored_doubles([label], lambda name: name if name in names else None, "f")
                assert ["_".join(pair) for pair in read.values()] == [label] * ways
                outcomes[ways] += 1
    assert min(outcomes["refused"], outcomes[0], outcomes[1]) > 1

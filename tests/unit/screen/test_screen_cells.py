"""Cells of a screen are checked, chosen and normalised; what is set aside is counted."""

from dataclasses import replace

import anndata
import numpy as np
import pandas as pd
import pytest
from scarceseq.errors import InputError
from scarceseq.screen import rows
from scarceseq.screen.cell_normalisation import normalise_cells
from scarceseq.screen.gene_names import GeneNames
from scarceseq.screen.labels import LabelReader, read_labels
from scipy import sparse
from small_screen import make_screen, settings, write_screen


@pytest.fixture
def path(tmp_path):
    return write_screen(tmp_path)


def normalise(path, chosen, current=None):
    """Cells as written, and counts."""
    counts = normalise_cells(path, path.parent / "cells.h5ad", chosen, current or {})
    return anndata.read_h5ad(path.parent / "cells.h5ad"), counts


def test_cells_that_are_not_single_gene_are_set_aside_and_counted(path):
    cells, counts = normalise(path, settings(exclude=["odd"]))
    assert cells.obs["perturbation"].value_counts().to_dict() == {"control": 60, "G1": 40, "G2": 40, "G3": 30}
    expected = {"cells_of_combinations": 12, "combinations": 1, "perturbations_with_few_cells": 1}
    expected |= {"cells_of_small_perturbations": 4, "cells_excluded": 11, "cells_without_label": 5, "cells": 170}
    assert {key: counts[key] for key in expected} == expected


def test_a_gene_joined_with_the_control_is_that_gene():
    labels = np.array(["NT", "A+NT", "NT+A", "A+B", "A,B", "NT+NT", None], dtype=object)
    reader = LabelReader(GeneNames(pd.DataFrame(index=["A", "B"]), ["A", "B"], {}), ("NT",), [])
    assert list(read_labels(labels, reader)) == ["control", "A", "A", "", "", "control", ""]


def test_normalised_values_are_the_logarithm_of_counts_per_ten_thousand(path):
    cells, _ = normalise(path, settings(exclude=["odd"]))
    raw = anndata.read_h5ad(path)[cells.obs_names].X.toarray()
    expected = np.log1p(raw / raw.sum(axis=1, keepdims=True) * 10_000)
    np.testing.assert_allclose(cells.X.toarray(), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"perturbation_column": "guide"}, "no column 'guide'.*target"),
        ({"control": "control"}, "control label 'control'"),
        ({"layer": "raw"}, "no layer 'raw'"),
        ({"keep_cells": {"target": "G1"}}, "no control cell is left"),
        ({"keep_cells": {"line": "a"}}, "no column 'line'"),
        ({"batch_column": "lane"}, "no column 'lane'"),
        ({"min_cells": 500}, "500 cells"),
        ({"values": "log_normalised"}, "set values to counts"),
        ({"gene_symbol_column": "symbol"}, "no column 'symbol'"),
    ],
)
def test_a_screen_that_is_not_as_the_config_says_is_refused(path, change, message):
    with pytest.raises(InputError, match=message):
        normalise(path, settings(**change))


@pytest.mark.parametrize(("value", "message"), [(0.5, "not raw counts"), (-1, "negative"), (np.nan, "missing")])
def test_values_that_are_no_counts_are_refused(path, tmp_path, value, message):
    data = anndata.read_h5ad(path)
    data.X.data[0] = value
    data.write_h5ad(tmp_path / "bad.h5ad")
    with pytest.raises(InputError, match=message):
        normalise(tmp_path / "bad.h5ad", settings())


def test_declared_log_values_are_taken_as_they_are(path, tmp_path):
    data = anndata.read_h5ad(path)
    data.X = data.X.log1p()
    data.write_h5ad(tmp_path / "log.h5ad")
    cells, _ = normalise(tmp_path / "log.h5ad", settings(values="log_normalised"))
    np.testing.assert_array_equal(cells.X.toarray(), data[cells.obs_names].X.toarray())


def test_the_choice_of_variable_genes_does_not_see_perturbed_cells(path, tmp_path):
    chosen = settings(highly_variable_genes=4)
    before, _ = normalise(path, chosen)
    data = anndata.read_h5ad(path)
    perturbed = (data.obs["target"] != "NT").to_numpy()
    changed = data.X.toarray()
    changed[perturbed] = np.random.default_rng(1).permutation(changed[perturbed].ravel()).reshape(-1, 12)
    data.X = sparse.csr_matrix(changed)
    data.write_h5ad(tmp_path / "changed.h5ad")
    after, _ = normalise(tmp_path / "changed.h5ad", chosen)
    assert list(before.var_names) == list(after.var_names)
    assert {"G1", "G2", "G3"} <= set(before.var_names)


def test_cells_are_written_by_perturbation_whatever_the_size_of_a_block(path, tmp_path, monkeypatch):
    whole, _ = normalise(path, settings(exclude=["odd"], highly_variable_genes=4))
    assert list(whole.obs["perturbation"]) == ["control"] * 60 + ["G1"] * 40 + ["G2"] * 40 + ["G3"] * 30
    monkeypatch.setattr(rows, "VALUES_PER_BLOCK", 0)  # 64 rows at a time
    data = anndata.read_h5ad(path)
    mixed = np.random.default_rng(0).permutation(data.n_obs)
    data[mixed].write_h5ad(tmp_path / "mixed.h5ad")
    parts, _ = normalise(tmp_path / "mixed.h5ad", settings(exclude=["odd"], highly_variable_genes=4))
    assert list(parts.obs["perturbation"]) == list(whole.obs["perturbation"])
    np.testing.assert_allclose(parts[whole.obs_names].X.toarray(), whole.X.toarray(), rtol=1e-6)


def test_a_large_file_by_gene_is_refused_with_what_to_do(path, monkeypatch):
    data = anndata.read_h5ad(path)
    data.X = data.X.tocsc()
    data.write_h5ad(path)
    with rows.CellFile(path) as source:
        assert source.rows(0, 2).shape == (2, data.n_vars)
    monkeypatch.setattr(rows, "MAX_VALUES_BY_GENE", data.X.nnz - 1)
    with pytest.raises(InputError, match=r"stored by gene \(CSC\).*tocsr"):
        rows.CellFile(path)


@pytest.mark.parametrize("form", ["dense", "csc", "layer"])
def test_values_are_read_however_they_are_stored(path, tmp_path, form):
    expected, _ = normalise(path, settings())
    data = anndata.read_h5ad(path)
    if form == "layer":
        data.layers["raw"], data.X = data.X.copy(), np.full(data.shape, 0.5)
    else:
        data.X = data.X.toarray() if form == "dense" else data.X.tocsc()
    data.write_h5ad(tmp_path / "other.h5ad")
    found, _ = normalise(tmp_path / "other.h5ad", settings(layer="raw" if form == "layer" else None))
    np.testing.assert_array_equal(found.X.toarray(), expected.X.toarray())


def test_a_web_page_in_place_of_data_is_recognised(tmp_path):
    (tmp_path / "screen.h5ad").write_text("<!DOCTYPE html><html>403 Forbidden</html>")
    with pytest.raises(InputError, match="web page"):
        normalise(tmp_path / "screen.h5ad", settings())


def test_cells_that_still_express_their_target_are_flagged(tmp_path):
    labels = ["NT"] * 100 + ["G1"] * 40 + ["G2"] * 40 + ["elsewhere"] * 20
    data = make_screen(labels)
    values = data.X.toarray()
    values[100:130, 1] = 0  # G1 is silenced in 30 of its 40 cells
    data.X = sparse.csr_matrix(values)
    data.write_h5ad(tmp_path / "screen.h5ad")
    cells, counts = normalise(tmp_path / "screen.h5ad", settings())
    flagged = cells.obs.groupby("perturbation", observed=True)["target_expressed"].sum()
    expression = cells.to_df()["G1"]
    limit = np.quantile(expression[cells.obs["perturbation"] == "control"], 0.1)
    assert flagged["G1"] == (expression[cells.obs["perturbation"] == "G1"] > limit).sum() <= 10
    assert flagged["G2"] > 30
    assert flagged["control"] == flagged["elsewhere"] == 0
    assert counts["cells_expressing_target"] == flagged.sum()


CONVENTIONS = {
    "gears": ("condition", {"NT": "ctrl", "G1": "G1+ctrl", "G2": "ctrl+G2", "G3": "G3+ctrl", "G1+G2": "G1+G2"}),
    "scperturb": ("perturbation", {"NT": "control", "G1+G2": "G1_G2"}),
    "replogle": ("gene", {"NT": "non-targeting"}),
}


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_the_conventions_of_public_screens_are_recognised(path, tmp_path, convention):
    column, labels = CONVENTIONS[convention]
    expected, _ = normalise(path, settings(exclude=["odd"]))
    data = anndata.read_h5ad(path)
    given = data.obs.pop("target").astype(object)
    data.obs[column] = pd.Categorical([labels.get(label, label) for label in given])
    if convention == "scperturb":
        data.obs["nperts"] = [2 if label == "G1+G2" else 1 for label in given]
    if convention == "replogle":
        data.var["gene_name"], data.var_names = list(data.var_names), [f"ENSG{gene:011d}" for gene in range(12)]
    data.write_h5ad(tmp_path / "screen.h5ad")
    chosen = settings(perturbation_column=None, control=None, values="auto", exclude=["odd"])
    found, counts = normalise(tmp_path / "screen.h5ad", chosen)
    assert (found.obs == expected.obs).all(axis=None)
    assert list(found.var_names) == list(expected.var_names)
    assert (counts["perturbation_column"], counts["values"]) == (column, "counts")
    assert counts["cells_of_combinations"] == 12


def test_a_screen_that_is_not_recognised_is_refused_with_its_columns(path):
    with pytest.raises(InputError, match=r"set perturbation_column and control \(obs has target\)"):
        normalise(path, settings(perturbation_column=None, control="ctrl"))


def test_cells_of_other_lines_are_left_out_and_the_batch_is_kept(path, tmp_path):
    data = anndata.read_h5ad(path)
    data.obs["line"] = np.where(np.arange(data.n_obs) % 2, "a", "b")
    data.obs["lane"] = np.arange(data.n_obs) % 3
    data.write_h5ad(tmp_path / "screen.h5ad")
    cells, counts = normalise(tmp_path / "screen.h5ad", settings(keep_cells={"line": "a"}, batch_column="lane"))
    assert counts["cells_of_other_kinds"] == 101
    assert counts["control_cells"] == 30
    assert (cells.obs["batch"] == [str(int(name) % 3) for name in cells.obs_names]).all()


def test_renamed_genes_are_brought_up_to_date_in_rows_and_columns(path):
    cells, counts = normalise(path, settings(), {"G1": "G1new", "G2": "G5"})
    # G5 is measured itself, so the column G2 keeps its name
    assert set(cells.obs["perturbation"]) >= {"control", "G1new", "G5", "G3"}
    assert list(cells.var_names)[:3] == ["G0", "G1new", "G2"]
    assert counts["genes_renamed"] == 1


def test_a_real_screen_of_several_lines_and_log_values_is_read(shared_data, tmp_path):
    """Oracle: numbers of the published table: Norman has 18 single-gene perturbations, 15 doubles and control."""
    chosen = settings(perturbation_column=None, control=None, values="auto", min_cells=4)
    chosen = replace(chosen, keep_cells={"dataset": "norman19"}, minimum_matched_share=0)  # 500 genes, 1 of the 18
    source = shared_data / "perturb/cells/perturbench_devel.h5ad"
    counts = normalise_cells(source, tmp_path / "cells.h5ad", chosen, {})
    assert (counts["perturbations"], counts["combinations"], counts["values"]) == (18, 15, "log_normalised")

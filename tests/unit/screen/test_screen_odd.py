"""Screens as people have them: what the values are, which column says what was perturbed, which labels are genes.

The oracle of a drawn file is the small screen that it was made from, or the refusal of what cannot be one.
"""

import anndata
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scarceseq.errors import InputError
from scarceseq.screen.cell_normalisation import normalise_cells
from scarceseq.screen.conventions import looks_like_control
from scipy import sparse
from small_screen import make_screen, settings

LABELS = ["NT"] * 40 + ["G1"] * 20 + ["G2"] * 20 + ["G3"] * 20
QUICK = hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def normalise(data, folder, **keys):
    """Cells as written, and counts, of an AnnData under keys of the config."""
    data.write_h5ad(folder / "screen.h5ad")
    counts = normalise_cells(folder / "screen.h5ad", folder / "cells.h5ad", settings(**keys), {})
    return anndata.read_h5ad(folder / "cells.h5ad"), counts


def screen(labels=LABELS, **options):
    return make_screen(labels, raised={"G1": 5, "G2": 6}, **options)


def relabelled(change, others=()):
    """The small screen with other labels, and with further columns."""
    data = screen()
    data.obs["target"] = pd.Categorical([change(label) for label in LABELS])
    for name, values in others:
        data.obs[name] = values
    return data


def per_ten_thousand(counts):
    return counts / counts.sum(axis=1, keepdims=True) * 10_000


# Values made of counts, what they are refused for if nothing is declared, and the declaration that reads them.
VALUES = {
    "cp10k": (per_ten_thousand, "set the screen's key values: normalised", "normalised"),
    "cpm": (lambda c: per_ten_thousand(c) * 100, "set the screen's key values: normalised", "normalised"),
    "estimated": (lambda c: c + 0.25, "estimated_counts or normalised", "estimated_counts"),
    "log_of_counts": (np.log1p, "not divided by the totals", None),
    "log2": (lambda c: np.log2(per_ten_thousand(c) + 1), "base 2", None),
    "scaled": (lambda c: (c - c.mean(axis=0)) / c.std(axis=0), "negative", None),
    "small_fractions": (lambda c: c / 40, "sums of expm1 differ", "estimated_counts"),
    "log_of_some_genes": (
        lambda c: np.log1p(per_ten_thousand(c * ([1, 9] * 6)))[:, ::2],
        "differ",
        "log_normalised",
    ),
}


@pytest.mark.parametrize("name", VALUES)
def test_what_is_no_logarithm_of_counts_is_refused_and_read_where_it_is_declared(tmp_path, name):
    make, words, declared = VALUES[name]
    data = screen()
    values = make(data.X.toarray().astype(float)).astype(np.float32)
    other = anndata.AnnData(values, obs=data.obs, var=data.var.iloc[: values.shape[1]])
    with pytest.raises(InputError, match=words):
        normalise(other, tmp_path, values="auto", minimum_matched_share=0)
    if declared is not None:
        cells, counts = normalise(other, tmp_path, values=declared, minimum_matched_share=0)
        given_values = other[cells.obs_names].X.astype(float)
        expected = {
            "normalised": np.log1p,
            "estimated_counts": lambda v: np.log1p(per_ten_thousand(v)),
            "log_normalised": lambda v: v,
        }[declared](given_values)
        np.testing.assert_allclose(cells.X.toarray(), expected, rtol=1e-5)
        assert counts["values"] == {"estimated_counts": "counts"}.get(declared, declared)


@QUICK
@given(st.floats(1e3, 1e6), st.integers(0, 50), st.sampled_from(["counts", "logged", "normalised"]))
def test_counts_and_their_logarithms_are_told_apart_whatever_they_are_normalised_to(tmp_path, total, seed, kind):
    data = screen(seed=seed)
    counts = data.X.toarray().astype(float)
    normal = counts / counts.sum(axis=1, keepdims=True) * total
    data.X = {"counts": counts, "logged": np.log1p(normal), "normalised": normal}[kind].astype(np.float32)
    if kind == "normalised":
        with pytest.raises(InputError, match="no logarithm"):
            normalise(data, tmp_path, values="auto")
    else:
        _, found = normalise(data, tmp_path, values="auto")
        assert found["values"] == {"counts": "counts", "logged": "log_normalised"}[kind]


def test_a_choice_of_genes_that_scanpy_logged_is_taken_for_that(tmp_path):
    data = screen()
    data.X = sparse.csr_matrix(np.log1p(per_ten_thousand(data.X.toarray() * ([1, 9] * 6))).astype(np.float32))
    data = data[:, [0, 1, 2, 3, 4, 6, 8]].copy()
    with pytest.raises(InputError, match="differ"):
        normalise(data, tmp_path, values="auto")
    data.uns["log1p"] = {}
    assert normalise(data, tmp_path, values="auto")[1]["values"] == "log_normalised"


def test_the_perturbation_column_is_the_one_whose_values_are_genes(tmp_path):
    treatment = np.resize(["NT", "IFNg", "LPS"], len(LABELS))
    data = relabelled(str, [("condition", treatment), ("gene", treatment), ("perturbation", LABELS)])
    del data.obs["target"]
    _, counts = normalise(data, tmp_path, perturbation_column=None, control=None)
    assert counts["perturbation_column"] == "perturbation"
    data.obs["my_guides"] = data.obs.pop("perturbation")
    _, counts = normalise(data, tmp_path, perturbation_column=None, control=None)
    assert counts["perturbation_column"] == "my_guides"


# How labels are written, the keys by which they are read; what the message of a refusal without them proposes.
WRITTEN = {
    "suffix": (lambda gene: f"{gene}_pX1", {"label_separator": "_"}, 'label_separator: "_"'),
    "prefix": (lambda gene: f"sg{gene}", {"label_prefix": "sg"}, 'label_prefix: "sg"'),
    "both": (lambda gene: f"sg{gene}-2", {"label_prefix": "sg", "label_separator": "-"}, 'label_prefix: "sg"'),
    "guides": (lambda gene: f"{gene}.{np.random.default_rng(0).integers(9)}", {"label_separator": "."}, '"."'),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_labels_that_name_no_gene_are_refused_with_the_keys_by_which_they_do(tmp_path, name):
    write, keys, proposed = WRITTEN[name]
    data = relabelled(lambda label: label if label == "NT" else write(label))
    with pytest.raises(InputError, match="3 of 3 perturbations name no gene") as raised:
        normalise(data, tmp_path)
    assert proposed in str(raised.value)
    cells, counts = normalise(data, tmp_path, **keys)
    expected, _ = normalise(screen(), tmp_path)
    pd.testing.assert_frame_equal(cells.obs, expected.obs)
    assert counts["perturbations_without_gene"] == 0


def test_a_gene_whose_symbol_holds_the_separator_is_not_cut_within(tmp_path):
    data = relabelled(lambda label: {"G1": "HLA-A-1", "G2": "HLA-A-2", "G3": "G3-1", "NT": "NT-7"}[label])
    data.var_names = [*(f"G{gene}" for gene in range(11)), "HLA-A"]
    cells, counts = normalise(data, tmp_path, label_separator="-")
    assert cells.obs["perturbation"].value_counts().to_dict() == {"control": 40, "HLA-A": 40, "G3": 20}
    assert (counts["labels"], counts["labels_per_perturbation"]) == (3, 2)


def test_symbols_of_another_case_and_ensembl_ids_are_the_genes_they_are(tmp_path):
    expected, _ = normalise(screen(), tmp_path)
    cells, _ = normalise(relabelled(lambda label: label if label == "NT" else label.lower()), tmp_path)
    pd.testing.assert_frame_equal(cells.obs, expected.obs)
    data = relabelled(lambda label: label if label == "NT" else f"ENSG{int(label[1:]):011d}")
    data.var["gene_name"], data.var_names = list(data.var_names), [f"ENSG{gene:011d}.3" for gene in range(12)]
    cells, _ = normalise(data, tmp_path)
    pd.testing.assert_frame_equal(cells.obs, expected.obs)


def test_labels_that_name_no_gene_are_counted_and_shown(tmp_path):
    data = relabelled(lambda label: {"G3": "elsewhere"}.get(label, label))
    _, counts = normalise(data, tmp_path)
    assert (counts["perturbations_without_gene"], counts["without_gene"]) == (1, ["elsewhere"])


def test_several_controls_are_one_group_and_a_string_still_works(tmp_path):
    labels = ["NT"] * 20 + ["safe-targeting"] * 20 + LABELS[40:]
    data = relabelled(str)
    data.obs["target"] = pd.Categorical(labels)
    cells, counts = normalise(data, tmp_path, control=["NT", "safe-targeting"])
    assert counts["control_cells"] == 40
    assert counts["control_label"] == "NT, safe-targeting"
    expected, _ = normalise(screen(), tmp_path, control="NT")
    np.testing.assert_array_equal(cells.X.toarray(), expected.X.toarray())


@pytest.mark.parametrize("control", ["NT", None, ["NT"]])
@pytest.mark.parametrize(
    "second", ["nan", "*", "unassigned", "control_0", "non-targeting", "ctrl", "Neg_Control-3", "NA"]
)
def test_a_second_label_like_a_control_stops_the_run_or_is_set_aside_by_name(tmp_path, second, control):
    data = screen()
    data.obs["target"] = pd.Categorical(["NT"] * 25 + [second] * 15 + LABELS[40:])
    with pytest.raises(InputError, match="look like controls") as raised:
        normalise(data, tmp_path, control=control)
    assert f"'{second}'" in str(raised.value)
    _, counts = normalise(data, tmp_path, control="NT", exclude=[second])
    assert (counts["control_cells"], counts["cells_excluded"], counts["perturbations"]) == (25, 15, 3)
    _, counts = normalise(data, tmp_path, control=["NT", second])
    assert (counts["control_cells"], counts["perturbations"]) == (40, 3)


def test_no_human_or_mouse_symbol_of_the_real_graphs_looks_like_a_control(shared_data):
    symbols = pd.read_csv(shared_data / "perturb/graphs/entrez_symbol.csv.gz", dtype=str, keep_default_na=False)
    names = {name for column in symbols for name in symbols[column] if name}
    assert len(names) > 15_000
    # chymotrypsin-like protease; a file that measures it has it for a gene
    assert sorted(name for name in names if looks_like_control(name)) == ["CTRL"]


# File: keys of the config, labels with their cells; or words of the refusal.
ODD = {
    "cp10k": ({}, "values: normalised"),
    "suffix": ({}, 'label_separator: "_"'),
    "twocontrols": ({}, r"'control', 'non-targeting'.*control: \['control', 'non-targeting'\]"),
}
READ = {
    "cp10k": {"values": "normalised"},
    "suffix": {"label_separator": "_"},
    "twocontrols": {"control": ["control", "non-targeting"]},
    "condition5": {},
    "compound_obs": {},
}
PLAIN = {"perturbation_column": None, "control": None, "values": "auto", "min_cells": 20}


@pytest.mark.parametrize("name", ODD)
def test_a_handed_screen_is_refused_with_the_remedy(shared_data, tmp_path, name):
    path = shared_data / f"odd_inputs/screens/{name}.h5ad"
    with pytest.raises(InputError, match=ODD[name][1]) as raised:
        normalise_cells(path, tmp_path / "cells.h5ad", settings(**PLAIN), {})
    assert f"{name}.h5ad" in str(raised.value)


@pytest.mark.parametrize("name", READ)
def test_a_handed_screen_gives_what_its_table_says(shared_data, tmp_path, name):
    path = shared_data / f"odd_inputs/screens/{name}.h5ad"
    counts = normalise_cells(path, tmp_path / "cells.h5ad", settings(**PLAIN | READ[name]), {})
    cells = anndata.read_h5ad(tmp_path / "cells.h5ad")
    sizes = cells.obs["perturbation"].value_counts().to_dict()
    assert sizes == {"control": 60, **{f"G{gene}": 30 for gene in range(1, 6)}}
    assert counts["perturbation_column"] == "perturbation"
    raw = anndata.read_h5ad(shared_data / "odd_inputs/screens/condition5.h5ad")[cells.obs_names].X
    np.testing.assert_allclose(cells.X.toarray(), np.log1p(raw / raw.sum(axis=1, keepdims=True) * 1e4), rtol=1e-4)

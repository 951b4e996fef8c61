"""Reading the corpus: shapes, roles, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from scarceseq.errors import InputError
from scarceseq.pretrain.samples import read_matrix
from small_corpus import small_expression, write_corpus


@pytest.fixture
def paths(tmp_path):
    return write_corpus(tmp_path / "corpus", *small_expression())


def test_roles_follow_the_split(paths):
    matrix = read_matrix(*paths, "default")
    assert matrix.rows(["scout"]).tolist() == list(range(60, 90))
    assert matrix.rows(["validation", "pretrain"]).tolist() == [*range(60), *range(90, 110)]


def test_study_that_the_split_does_not_name_is_unused(paths):
    table = pd.read_csv(paths[3], sep="\t")
    table.iloc[1:].to_csv(paths[3], sep="\t", index=False)
    matrix = read_matrix(*paths, "default")
    assert matrix.rows(["unused"]).tolist() == list(range(10))


def test_unknown_split_names_those_that_exist(paths):
    with pytest.raises(InputError, match=r"no split 'other'; it has: default"):
        read_matrix(*paths, "other")


def test_study_with_two_roles_is_refused(paths):
    table = pd.read_csv(paths[3], sep="\t")
    pd.concat([table, table.iloc[:1].assign(role="test")]).to_csv(paths[3], sep="\t", index=False)
    with pytest.raises(InputError, match="study00 has two roles"):
        read_matrix(*paths, "default")


def test_matrix_that_does_not_fit_its_tables_is_refused(paths):
    np.save(paths[0], np.zeros((3, 40), dtype=np.float32))
    with pytest.raises(InputError, match=r"shape \(3, 40\)"):
        read_matrix(*paths, "default")


def test_fingerprint_changes_with_values_and_with_genes(paths):
    before = read_matrix(*paths, "default").fingerprint
    genes = pd.read_parquet(paths[2])
    genes.assign(gene_id=genes["gene_id"] + "x").to_parquet(paths[2], index=False)
    renamed = read_matrix(*paths, "default").fingerprint
    expression = np.load(paths[0])
    expression[0, 0] += 1
    np.save(paths[0], expression)
    assert len({before, renamed, read_matrix(*paths, "default").fingerprint}) == 3


def test_depth_is_known_for_samples_of_the_genes_own_organism_with_a_read_length(paths):
    table = pd.read_parquet(paths[1])
    table.loc[:3, "organism"] = "human"
    table.loc[4, "average_mapped_length"] = np.nan
    table.loc[5, ["unit", "average_mapped_length"]] = ["read_counts", np.nan]
    table.to_parquet(paths[1], index=False)
    genes = pd.read_parquet(paths[2])
    genes.assign(human_bp_length=1000.0).to_parquet(paths[2], index=False)
    depth = read_matrix(*paths, "default").reads_per_rate
    assert np.isnan(depth[:5]).all()
    assert depth[5] == 2e5 / 1e6
    np.testing.assert_allclose(depth[6:], 2e5 / 100 / 1e6)


def test_attributes_that_differ_within_a_sample_are_none(paths, tmp_path):
    rows = [
        ("sample1", "a", " x "),
        ("sample2", "a", "y"),
        ("sample2", "a", "z"),
        ("sample3", "a", "y"),
        ("s", "b", "y"),
    ]
    table = pd.DataFrame([*rows, rows[3]], columns=["sample", "key", "value"])
    table.to_parquet(tmp_path / "attributes.parquet", index=False)
    matrix = read_matrix(*paths, "default", tmp_path / "attributes.parquet", ["a"])
    assert matrix.attributes["a"][:5].tolist() == ["", "x", "", "y", ""]
    with pytest.raises(InputError, match="attributes there: a, b"):
        read_matrix(*paths, "default", tmp_path / "attributes.parquet", ["c"])

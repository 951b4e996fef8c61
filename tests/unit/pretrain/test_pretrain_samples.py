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

"""Gene embeddings: from the corpus without its test studies, or from a table."""

import numpy as np
import pandas as pd
import pytest
from scarceseq import registry
from scarceseq.errors import InputError
from scarceseq.files import write_table

SETTINGS = {"split": "default", "components": 3}


@pytest.fixture
def corpus(tmp_path):
    """Three studies of 20 samples; genes A, B and C, D move together."""
    generator = np.random.default_rng(5)
    signal = generator.normal(size=(60, 2))
    values = np.repeat(signal, 2, axis=1) + 0.1 * generator.normal(size=(60, 4))
    values = np.column_stack([values, generator.normal(size=(60, 2))]) + 5
    np.save(tmp_path / "training.npy", values.astype(np.float16))
    tables = {
        "genes.parquet": pd.DataFrame({"gene_id": list("abcdef"), "gene_name": list("ABCDEF")}),
        "samples.parquet": pd.DataFrame({"study": np.repeat(["one", "two", "held_out"], 20)}),
        "splits.tsv": pd.DataFrame(
            {"split": "default", "study": ["one", "two", "held_out"], "role": ["pretrain", "scout", "test"]}
        ),
    }
    for name, table in tables.items():
        write_table(table, tmp_path / name)
    return {"training": tmp_path / "training.npy"} | {name.split(".")[0]: tmp_path / name for name in tables}


def components(inputs):
    return registry.load("network.embeddings", "corpus_components").build(SETTINGS, inputs)


def test_components_are_those_of_scaled_within_study_expression(corpus):
    """Oracle: inner products of the embedding are the best rank-3 approximation of the correlations."""
    found = components(corpus)
    assert list(found.index) == list("ABCDEF")
    values = np.load(corpus["training"])[:40].astype(np.float32)
    for study in (slice(0, 20), slice(20, 40)):
        values[study] -= values[study].mean(axis=0)
    size, vectors = np.linalg.eigh(np.corrcoef(values.T))
    best = (vectors[:, 3:] * size[3:]) @ vectors[:, 3:].T
    np.testing.assert_allclose(found.to_numpy() @ found.to_numpy().T / 40, best, atol=1e-4)


def test_components_do_not_see_test_studies(corpus):
    before = components(corpus)
    matrix = np.load(corpus["training"])
    matrix[40:] = np.random.default_rng(0).permutation(matrix[40:].ravel()).reshape(20, -1)
    np.save(corpus["training"], matrix)
    pd.testing.assert_frame_equal(before, components(corpus))


def test_vectors_of_a_base_model_are_taken_by_symbol(tmp_path):
    table = {"gene_id": list("abcd"), "gene_name": ["A", "B", "", "A"], "component_1": [1.0, 2, 3, 5]}
    write_table(pd.DataFrame(table | {"component_2": [0.0, 1, 2, 4]}), tmp_path / "genes.parquet")
    found = registry.load("network.embeddings", "base_model").build(
        {"base": "mlp"}, {"genes": tmp_path / "genes.parquet"}
    )
    assert found.to_dict("index") == {
        "A": {"component_1": 3.0, "component_2": 2.0},
        "B": {"component_1": 2.0, "component_2": 1.0},
    }


def test_rows_of_one_gene_are_averaged_and_text_is_left_out(tmp_path):
    numbers = {"x": [1.0, 3, 5, 7], "y": [0, 1, 2, 3]}
    table = pd.DataFrame({"gene_name": ["A", "A", "B", None], "id": list("wxyz")} | numbers)
    write_table(table, tmp_path / "genes.parquet")
    build = registry.load("network.embeddings", "table").build
    found = build({"gene_column": "gene_name"}, {"table": tmp_path / "genes.parquet"})
    assert found.to_dict("index") == {"A": {"x": 2, "y": 0.5}, "B": {"x": 5, "y": 2}}
    with pytest.raises(InputError, match="no column 'symbol'"):
        build({"gene_column": "symbol"}, {"table": tmp_path / "genes.parquet"})
    write_table(table[["gene_name", "id"]], tmp_path / "text.parquet")
    with pytest.raises(InputError, match="columns of numbers"):
        build({"gene_column": "gene_name"}, {"table": tmp_path / "text.parquet"})

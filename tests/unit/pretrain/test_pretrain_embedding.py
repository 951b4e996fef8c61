"""Embeddings of any table: genes found by id, TPM over those present, equal embeddings from the directory alone."""

import dataclasses
import json
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import anndata
import numpy as np
import pandas as pd
import pytest
import scarceseq
import torch
from scarceseq.archive.counts import write_counts
from scarceseq.corpus.transform import tpm
from scarceseq.errors import InputError
from scarceseq.files import write_table
from scarceseq.pretrain import embedding
from scarceseq.pretrain.embedding import (
    align,
    attribute_columns,
    embed,
    embed_genes,
    embed_rows,
    log_expression,
    write_embedding,
)
from scarceseq.pretrain.model import save_base
from scarceseq.pretrain.run import initial_base
from scarceseq.pretrain.samples import read_matrix
from small_corpus import small_expression, write_corpus


@pytest.fixture
def matrix(tmp_path):
    return read_matrix(*write_corpus(tmp_path / "corpus", *small_expression()), "default")


@pytest.fixture
def base(matrix, settings):
    found = initial_base(matrix, settings, 3, torch.device("cpu"))
    found.gene_ids = [f"ENSMUSG{number:05d}.{number % 7 + 1}" for number in range(len(matrix.gene_ids))]
    torch.nn.init.normal_(found.network.encoder.output.weight, generator=torch.Generator().manual_seed(1))
    return found


@pytest.fixture
def counts(base):
    return np.random.default_rng(2).poisson(50, size=(7, len(base.gene_ids)))


def test_shuffled_and_differently_versioned_genes_give_the_same_embedding(base, counts):
    expected, alignment = embed(base, counts, base.gene_ids, 0.8)
    assert alignment.share == 1.0
    order = np.random.default_rng(3).permutation(counts.shape[1])
    ids = [base.gene_ids[place].split(".")[0] + (".99" if place % 2 else "") for place in order]
    extra = np.concatenate([counts[:, order], np.full((7, 2), 1000)], axis=1)
    found, _ = embed(base, extra, [*ids, "ENSMUSG99999.1", None], 0.8)
    np.testing.assert_array_equal(found, expected)


def test_expression_is_log_tpm_with_the_total_that_these_genes_have_in_training(base, counts):
    present = np.arange(40) % 8 != 0
    ids = [gene for gene, there in zip(base.gene_ids, present, strict=True) if there]
    alignment = align(base, ids, 0.8)
    vocabulary = base.information["vocabulary"]
    got = log_expression(base, alignment, counts[:, present])
    total = np.array(vocabulary["mean_tpm"])[present].sum()
    expected = np.log2(tpm(counts[:, present], np.array(vocabulary["bp_length"])[present]) * total / 1e6 + 1)
    np.testing.assert_allclose(got[:, present], expected)
    np.testing.assert_array_equal(got[:, ~present], np.tile(base.mean.numpy()[~present], (7, 1)))
    assert torch.equal(base.standardise(got)[:, ~present], torch.zeros(7, 5))


def test_counts_of_a_training_sample_come_near_its_row(matrix, base):
    """The matrix is TPM over the same genes here, so only half precision and the mean total stand between."""
    mean_tpm = np.array(base.information["vocabulary"]["mean_tpm"])
    np.testing.assert_allclose(mean_tpm, (np.exp2(matrix.expression[:90].astype(float)) - 1).mean(axis=0), rtol=1e-6)
    values = np.exp2(matrix.expression[:3].astype(float)) - 1
    scaled = values / values.sum(axis=1, keepdims=True) * mean_tpm.sum()
    length = np.array(base.information["vocabulary"]["bp_length"])
    got = log_expression(base, align(base, base.gene_ids, 1.0), values * length * 1e4)
    np.testing.assert_allclose(got, np.log2(scaled + 1), rtol=1e-6, atol=1e-6)


def test_too_few_genes_are_refused_with_the_share(base, counts):
    with pytest.raises(InputError, match=r"75.0% of the model's 40 genes .* under the minimum of 80%"):
        embed(base, counts[:, :30], base.gene_ids[:30], 0.8)
    assert embed(base, counts[:, :30], base.gene_ids[:30], 0.75)[1].share == 0.75


def test_a_gene_with_two_columns_is_named(base, counts):
    ids = list(base.gene_ids)
    ids[1] = ids[0].split(".")[0] + ".9"
    with pytest.raises(InputError, match="gene ENSMUSG00000 has two columns, 0 and 1"):
        embed(base, counts, ids, 0.5)
    assert embedding.without_version("ENSG00000182378.14_PAR_Y") == "ENSG00000182378_PAR_Y"


@pytest.mark.parametrize(("value", "row"), [(-1, 4), (np.nan, 2), (0, 5)])
def test_a_sample_that_cannot_be_counts_is_named(base, counts, value, row, monkeypatch):
    monkeypatch.setattr(embedding, "BLOCK_SAMPLES", 2)
    counts = counts.astype(float)
    counts[row] = value
    with pytest.raises(InputError, match=f"row {row} of the counts"):
        embed(base, counts, base.gene_ids, 0.8)


def test_blocks_do_not_matter(matrix, base, counts, monkeypatch):
    whole, rows = embed(base, counts, base.gene_ids, 0.8)[0], embed_rows(base, matrix.expression, np.arange(5, 25))
    monkeypatch.setattr(embedding, "BLOCK_SAMPLES", 3)
    np.testing.assert_allclose(embed(base, counts, base.gene_ids, 0.8)[0], whole, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(embed_rows(base, matrix.expression, np.arange(5, 25)), rows, rtol=1e-5, atol=1e-6)


AGAIN = """
import json, sys
import numpy as np
from scarceseq.pretrain.embedding import embed
from scarceseq.pretrain.model import load_base

base = load_base(sys.argv[1] + "/model.safetensors", sys.argv[1] + "/model.json")
table = json.load(sys.stdin)
print(json.dumps(embed(base, np.array(table["counts"]), table["genes"], 0.8)[0].tolist()))
"""


@pytest.mark.parametrize("architecture", ["mlp", "transformer"])
def test_the_directory_alone_embeds_equally_in_another_process(matrix, settings, counts, tmp_path, architecture):
    changed = dataclasses.replace(settings, architecture=architecture)
    base = initial_base(matrix, changed, 3, torch.device("cpu"))
    (tmp_path / "model").mkdir()
    save_base(base, tmp_path / "model/model.safetensors", tmp_path / "model/model.json")
    told = json.loads((tmp_path / "model/model.json").read_text())
    assert told["corpus_fingerprint"] == matrix.fingerprint
    assert {"commit", "split", "settings", "normalisation"} <= set(told)
    table = json.dumps({"counts": counts.tolist(), "genes": matrix.gene_ids})
    command = [sys.executable, "-c", AGAIN, str(tmp_path / "model")]
    folder = Path(scarceseq.__file__).parents[1]
    done = subprocess.run(command, input=table, capture_output=True, text=True, cwd=folder, check=True)
    expected, _ = embed(base, counts, matrix.gene_ids, 0.8)
    np.testing.assert_array_equal(np.array(json.loads(done.stdout), dtype=np.float32), expected)


def test_the_vector_of_a_gene_is_what_the_gene_adds_to_the_untrained_embedding(matrix, settings):
    base = initial_base(matrix, settings, 3, torch.device("cpu"))  # its hidden layers add nothing yet
    one_gene_up = torch.eye(len(base.gene_ids))
    with torch.no_grad():
        expected = base.network.embed(one_gene_up) - base.network.embed(torch.zeros(1, len(base.gene_ids)))
    np.testing.assert_allclose(embed_genes(base), expected.numpy(), atol=1e-6)


def test_genes_that_are_alike_in_the_transformer_have_equal_vectors(matrix, settings):
    base = initial_base(matrix, dataclasses.replace(settings, architecture="transformer"), 3, torch.device("cpu"))
    with torch.no_grad():
        base.network.encoder.of_gene[:, 4] = base.network.encoder.of_gene[:, 9]
    vectors = embed_genes(base)
    assert vectors.shape == (len(base.gene_ids), settings.token_width)
    same = (vectors[:, None] == vectors[None]).all(axis=2)
    assert np.argwhere(np.triu(same, 1)).tolist() == [[4, 9]]


def test_the_file_holds_embedding_samples_and_attributes(base, tmp_path):
    samples = pd.DataFrame({"study": ["A", "A", "B"]}, index=["s1", "s2", "s3"])
    attributes = pd.DataFrame(
        {"sample": ["s1", "s3", "s9"], "key": ["tissue", "tissue", "age"], "value": ["liver", "lung", "1"]}
    )
    table = samples.join(attribute_columns(attributes, samples.index))
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    write_embedding(values, table, base, 0.93, tmp_path / "corpus.h5ad")
    back = anndata.read_h5ad(tmp_path / "corpus.h5ad")
    np.testing.assert_array_equal(back.X, values)
    assert back.obs["study"].tolist() == ["A", "A", "B"]
    assert back.obs["attribute_tissue"].tolist()[::2] == ["liver", "lung"]
    assert back.obs["attribute_tissue"].isna().tolist() == [False, True, False]
    assert "attribute_age" not in back.obs
    assert back.uns["share_of_genes_found"] == 0.93
    assert back.uns["model_corpus_fingerprint"] == base.information["corpus_fingerprint"]


class Named(dict):
    """Files of a job by name and by number, as Snakemake gives them to its script."""

    def __getattr__(self, name):
        return self[name]

    def __getitem__(self, key):
        return list(self.values())[key] if isinstance(key, int) else super().__getitem__(key)


def run_script(name, **job):
    """Run a rule's script as Snakemake would, with a job made by hand."""
    script = Path(scarceseq.__file__).parents[1] / f"{name}.py"
    known = {key: Named(value) if isinstance(value, dict) else value for key, value in job.items()}
    runpy.run_path(str(script), init_globals={"snakemake": SimpleNamespace(**known)})


def test_the_rule_embeds_a_users_study_as_the_function_does(tmp_path, base, counts):
    save_base(base, tmp_path / "model.safetensors", tmp_path / "model.json")
    samples = [f"mine.s{number}" for number in range(7)]
    table = pd.DataFrame({"study": "mine", "organism": "mouse"}, index=pd.Index(samples, name="sample"))
    measured = np.arange(40) % 8 != 0
    genes = pd.DataFrame({"gene_name": base.gene_ids, "measured": measured}, index=base.gene_ids)
    write_counts(np.where(measured, counts, 0), table, genes, tmp_path / "study.h5ad")
    attributes = pd.DataFrame({"sample": samples, "key": "sex", "value": ["female", "male"] * 3 + ["male"]})
    write_table(attributes, tmp_path / "attributes.parquet")
    names = {"model": "model.safetensors", "information": "model.json", "study": "study.h5ad"}
    names |= {"attributes": "attributes.parquet"}
    run_script(
        "embed",
        input={key: str(tmp_path / name) for key, name in names.items()},
        output={"embedding": str(tmp_path / "embedded.h5ad")},
        log={"log": str(tmp_path / "embed.log")},
        params={"minimum_gene_share": 0.8, "device": "cpu"},
        threads=1,
    )
    found = anndata.read_h5ad(tmp_path / "embedded.h5ad")
    ids = [gene for gene, there in zip(base.gene_ids, measured, strict=True) if there]
    expected, alignment = embed(base, counts[:, measured], ids, 0.8)
    np.testing.assert_array_equal(found.X, expected)
    assert found.obs_names.tolist() == samples
    assert found.obs["attribute_sex"].tolist() == attributes["value"].tolist()
    assert found.obs["study"].eq("mine").all()
    assert found.uns["share_of_genes_found"] == alignment.share == 0.875

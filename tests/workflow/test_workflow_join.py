"""Corpora of two organisms in one. Oracle: a second organism made from the first, of which the answer is known."""

import gzip

import anndata
import numpy as np
import pandas as pd
import pytest
import yaml
from helpers import planned, snakemake

TINY = "tests/config/tiny.yaml"
RUNS = ("mouse_and_human", "with_human")


@pytest.fixture(scope="module")
def joined(finished_run):
    """The tiny world joined with humans that are its mice: genes in another order, three times as long and as covered.

    Their TPM over any set of genes are the mice's, and no counts are equal. Two genes have two orthologues each, ten
    have none. `mouse_and_human` joins two finished corpora, `with_human` an archive, a corpus and a user's study.
    """
    folder = finished_run / "human"
    folder.mkdir()
    mouse = anndata.read_h5ad(finished_run / "results/tiny/corpus/corpus.h5ad")
    order = np.random.default_rng(3).permutation(mouse.n_vars)
    human = mouse[:, order].copy()
    human.X = human.X * 3
    human.obs_names = "human_" + human.obs_names
    human.obs["organism"] = "human"
    human.var["bp_length"] = human.var["bp_length"] * 3
    human.var["gene_name"] = human.var["gene_name"].astype(str).str.upper()
    human.var_names = human.var_names.str.replace("ENSMUSG", "ENSG")
    human.write_h5ad(folder / "corpus.h5ad")
    attributes = pd.read_parquet(finished_run / "results/tiny/corpus/attributes.parquet")
    attributes.assign(sample="human_" + attributes["sample"]).to_parquet(folder / "attributes.parquet")
    metadata = pd.read_parquet(finished_run / "results/tiny/corpus/metadata.parquet")
    metadata.assign(run="human_" + metadata["run"], organism="human").to_parquet(folder / "metadata.parquet")

    pairs = pd.DataFrame({"mouse gene": mouse.var_names[10:], "human gene": mouse.var_names[10:]})
    pairs["human gene"] = pairs["human gene"].str.replace("ENSMUSG", "ENSG").str.split(".").str[0]
    twice = pairs.iloc[:2].assign(**{"human gene": pairs["human gene"].iloc[[2, 3]].to_numpy()})
    pd.concat([pairs, twice]).to_csv(finished_run / "pairs.tsv", sep="\t", index=False)

    config = yaml.safe_load((finished_run / TINY).read_text())
    columns = {"mouse": "mouse gene", "human": "human gene"}
    corpus = config["corpus"] | {"orthologues": {"table": "pairs.tsv", "columns": columns}}
    both = {"seed": 7, "corpus": corpus | {"joined": ["results/tiny/corpus", "human"]}, "name": RUNS[0]}
    (finished_run / f"{RUNS[0]}.yaml").write_text(yaml.safe_dump(both))

    one = human[human.obs["study"] == human.obs["study"].iloc[0]]
    # sums of coverage would be refused
    counts = np.rint(one.X.T / 10).astype(int)
    table = pd.DataFrame(counts, index=one.var["gene_name"].rename("gene"), columns=one.obs_names)
    table.to_csv(finished_run / "counts.tsv", sep="\t")
    lines = [
        f'chr1\tx\tgene\t1\t9\t{gene.bp_length}\t+\t.\tgene_id "{gene.Index}"; gene_type "protein_coding"; '
        f'gene_name "{gene.gene_name}";\n'
        for gene in human.var.itertuples()
    ]
    (finished_run / "human.gtf.gz").write_bytes(gzip.compress("".join(lines).encode()))
    study = {"name": "mine", "counts": "counts.tsv", "gene_id_type": "symbol", "organism": "human"}
    study["annotation"] = "human.gtf.gz"
    archive = config["archive"] | {"mirrors": ["results/tiny/demo/archive"]}
    run = {"archive": archive, "user_studies": [study], "corpus": corpus | {"joined": ["human"]}}
    (finished_run / f"{RUNS[1]}.yaml").write_text(yaml.safe_dump({"seed": 7, "name": RUNS[1], **run}))
    for name in RUNS:
        snakemake(finished_run, "--cores", "2", "--configfile", f"{name}.yaml")
    return finished_run


def tables(joined, name):
    """(samples, genes, training matrix by sample) of a run."""
    folder = joined / "results" / name / "corpus"
    samples = pd.read_parquet(folder / "samples.parquet")
    training = pd.DataFrame(np.load(folder / "training.npy").astype(float), index=samples["sample"])
    return samples, pd.read_parquet(folder / "genes.parquet"), training


@pytest.mark.parametrize("name", RUNS)
def test_humans_have_the_values_of_the_mice_that_they_were_made_from(joined, name):
    samples, genes, training = tables(joined, name)
    mice = samples.loc[samples["organism"] == "mouse", "sample"]
    assert len(mice) > 50
    np.testing.assert_allclose(training.loc["human_" + mice].to_numpy(), training.loc[mice].to_numpy(), rtol=2**-10)
    assert (genes["human_bp_length"] == 3 * genes["bp_length"]).all()


def test_values_are_tpm_over_the_pairs_with_lengths_of_each_organism(joined):
    samples, genes, training = tables(joined, RUNS[0])
    counts = anndata.read_h5ad(joined / f"results/{RUNS[0]}/corpus/corpus.h5ad")
    shared = counts.var["shared"].to_numpy()
    for name, length in ((samples["sample"].iloc[0], "bp_length"), (samples["sample"].iloc[-1], "human_bp_length")):
        rate = counts[name].X.ravel()[shared] / counts.var[length].to_numpy(float)[shared]
        values = pd.Series(np.log2(rate / rate.sum() * 1e6 + 1), index=counts.var_names[shared])
        np.testing.assert_allclose(training.loc[name], values[genes["gene_id"]], rtol=2**-11, atol=2**-25)


@pytest.mark.parametrize("name", RUNS)
def test_studies_of_one_accession_stay_apart(joined, name):
    samples, _, _ = tables(joined, name)
    by_organism = {organism: set(table["study"]) for organism, table in samples.groupby("organism")}
    assert {f"human.{study}" for study in by_organism["mouse"]} <= by_organism["human"]
    splits = pd.read_csv(joined / f"results/{name}/corpus/splits.tsv", sep="\t")
    assert set(splits["study"]) == by_organism["mouse"] | by_organism["human"]
    assert not splits.duplicated(["split", "study"]).any()
    alone = pd.read_csv(joined / "results/tiny/corpus/splits.tsv", sep="\t")
    assert alone.merge(splits)["study"].tolist() == alone["study"].tolist(), "a mouse study moved"
    attributes = pd.read_parquet(joined / f"results/{name}/corpus/attributes.parquet")
    has = set(attributes["sample"])
    assert {sample for sample in has if sample.startswith("human_")} == {f"human_{s}" for s in has if s.startswith("S")}
    metadata = pd.read_parquet(joined / f"results/{name}/corpus/metadata.parquet")
    mice = metadata.loc[metadata["organism"] == "mouse", "run"]
    assert set(metadata.loc[metadata["organism"] == "human", "run"]) == {f"human_{run}" for run in mice} != set()


def test_pairs_say_why_they_are_not_used(joined):
    pairs = pd.read_csv(joined / f"results/{RUNS[0]}/corpus/orthologues.tsv", sep="\t")
    # two mouse genes have two human ones each, of which the second is that of another mouse gene
    assert pairs["use"].value_counts().to_dict() == {
        "used": len(pairs) - 6,
        "many_to_many": 2,
        "one_to_many": 2,
        "many_to_one": 2,
    }
    _, genes, _ = tables(joined, RUNS[0])
    assert set(genes["gene_id"]) <= set(pairs.loc[pairs["use"] == "used", "gene"])


def test_the_users_study_of_the_other_organism_is_there(joined):
    samples, _, training = tables(joined, RUNS[1])
    mine = samples[samples["study"] == "human.mine"]
    assert set(mine["organism"]) == {"human"}
    originals = mine["sample"].str.removeprefix("mine.")
    np.testing.assert_allclose(training.loc[mine["sample"]], training.loc[originals], rtol=2**-10, atol=0.02)


def test_a_changed_table_of_pairs_joins_again_and_nothing_else_does(joined):
    assert planned(joined, "--configfile", f"{RUNS[0]}.yaml") == {}
    table = joined / "pairs.tsv"
    text = table.read_text()
    try:
        table.write_text("".join(text.splitlines(keepends=True)[:-5]))
        plan = planned(joined, "--configfile", f"{RUNS[0]}.yaml")
        assert plan == {"merge_corpus": 1, "split_studies": 1, "render_report": 1}
    finally:
        table.write_text(text)

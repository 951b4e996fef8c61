"""From a finished run to a packed model, and with that to a prediction of somebody else's study."""

import shutil
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
import yaml
from helpers import planned, snakemake
from scarceseq.config import settings
from scarceseq.errors import InputError
from scarceseq.files import read_json, read_table, sha256
from test_workflow_reruns import appended, edited

TINY = ("--configfile", "tests/config/tiny.yaml")
OWN = ("--configfile", "tests/config/own_study.yaml")
PACKED = "results/tiny/packed/mlp.cluster_pairs.zip"
PLANTED = 6


def write_study(folder):
    """Counts of a study that the model was not trained on; half of its samples have six genes at eight times as much.

    Returns
    -------
    list of str
        Ids of these genes.
    """
    corpus = anndata.read_h5ad(folder / "results/tiny/corpus/corpus.h5ad")
    splits = read_table(folder / "results/tiny/corpus/splits.tsv").set_index("study")["role"]
    tested = corpus[corpus.obs["study"].map(splits).eq("test").to_numpy()]
    study = tested[tested.obs["study"] == tested.obs["study"].value_counts().index[0]]
    counts = np.asarray(study.X) // 100
    genes = read_table(folder / "results/tiny/corpus/genes.parquet")["gene_id"]
    known = np.flatnonzero(study.var_names.isin(genes) & (counts.min(axis=0) > 20))
    planted = known[:: len(known) // PLANTED][:PLANTED]
    labels = np.array(["control", "treated"])[np.arange(len(counts)) % 2]
    counts[np.ix_(labels == "treated", planted)] *= 8
    names = [f"s{number}" for number in range(len(counts))]
    ids = study.var_names.str.replace(r"\.\d+$", "", regex=True)
    table = pd.DataFrame(counts.T, ids, names)
    text = " ".join(f'"{name}"' for name in names) + "\n"  # as R's write.table does
    text += "".join(f'"{gene}" {" ".join(map(str, row))}\n' for gene, row in zip(ids, table.to_numpy(), strict=True))
    (folder / "counts.txt").write_text(text)
    pd.DataFrame({"sample": names, "condition": labels}).to_csv(folder / "labels.tsv", sep="\t", index=False)
    return [study.var_names[gene] for gene in planted]


@pytest.fixture(scope="module")
def laboratory(finished_run, tmp_path_factory):
    """A copy of the finished run with its model packed and a study; the ids of its planted genes."""
    folder = tmp_path_factory.mktemp("laboratory") / "scarceseq"
    shutil.copytree(finished_run, folder)
    planted = write_study(folder)
    snakemake(folder, "--cores", "1", PACKED, *TINY)
    return folder, planted


def test_a_study_is_predicted_with_a_packed_model_and_its_planted_genes_are_found(laboratory):
    folder, planted = laboratory
    before = sha256(folder / PACKED)
    rules = ["unpack_model", "import_own_study", "check_own_study", "compare_own_study", "choose_own_study"]
    rules += ["permute_own_study", "extend_own_study", "predict_own_study", "explain_own_study", "render_report"]
    assert planned(folder, *OWN) == dict.fromkeys(rules, 1)
    snakemake(folder, "--cores", "2", *OWN)
    assert planned(folder, *OWN) == {}
    assert sha256(folder / PACKED) == before
    results = folder / "results/own"
    for name in ("model.safetensors", "model.json"):
        original = (folder / "results/tiny/pretrain/mlp" / name).read_bytes()
        assert (results / "own_study/model" / name).read_bytes() == original
    genes = read_table(results / "own_study/genes.tsv").set_index("gene_id")
    assert (genes.loc[planted, "rank"] <= 20).sum() >= PLANTED - 1
    assert (genes.loc[planted, "highest_in"] == "treated").all()
    differential = read_table(results / "own_study/differential_genes.tsv").set_index("gene_id")
    differential.index = differential.index.str.split(".").str[0]
    there = differential.index.intersection([gene.split(".")[0] for gene in planted])
    assert (differential.loc[there, "rank"] <= 20).sum() >= PLANTED - 2
    assert (differential.loc[there, "highest_in"] == "treated").all()
    quality = read_table(results / "own_study/quality.tsv")
    assert set(quality["sample"]) == set(read_table(results / "own_study/samples.tsv")["sample"])
    assert (quality["reads"] > quality["genes"]).all()
    scores = read_table(results / "own_study/scores.tsv").set_index("method")
    assert scores.loc["logistic@genes", "balanced_accuracy"] > 0.8
    assert scores.loc["best", "balanced_accuracy"] > 0.8
    summary = read_json(results / "own_study/summary.json")
    assert summary["answer"][0].startswith("Yes, condition can be predicted from these samples better than by chance")
    assert summary["answer"][1].startswith("The pre-trained model")
    assert summary["best_accuracy"] == scores.loc["best", "balanced_accuracy"]
    samples = read_table(results / "own_study/samples.tsv")
    assert samples["sample"].tolist() == sorted(pd.read_csv(folder / "labels.tsv", sep="\t")["sample"])
    assert len(read_table(results / "own_study/permutations.tsv")) == 20
    assert not list(results.rglob("*unfinished*"))
    page = (results / "report.html").read_text()
    assert "Your study" in page
    assert "Your samples" in page
    assert "By their counts alone" in page
    assert page.count("<svg") >= 5
    predictions = read_table(results / "own_study/predictions.parquet")
    assert (predictions.groupby("method")["sample"].nunique() == predictions["sample"].nunique()).all()
    np.testing.assert_allclose(predictions[["p_0", "p_1"]].sum(axis=1), 1)


def test_what_a_change_of_the_own_study_reruns(laboratory):
    folder, _ = laboratory
    config = yaml.safe_load((folder / OWN[1]).read_text())
    steps = ["unpack_model", "import_own_study", "check_own_study", "compare_own_study", "choose_own_study"]
    steps += ["permute_own_study", "extend_own_study", "predict_own_study", "explain_own_study", "render_report"]

    def plan(**changes):
        (folder / "changed.yaml").write_text(yaml.safe_dump(config | {"own_study": config["own_study"] | changes}))
        return planned(folder, "--configfile", "changed.yaml")

    if not (folder / "results/own/report.html").exists():
        snakemake(folder, "--cores", "2", *OWN)
    assert plan() == {}
    permuted = ["permute_own_study", "predict_own_study", "explain_own_study", "render_report"]
    assert plan(permutations=20) == dict.fromkeys(permuted, 1)
    assert plan(best_candidates=["logistic@top_genes"]) == dict.fromkeys(steps[4:], 1)
    assert plan(shuffles=4) == dict.fromkeys(steps[8:], 1)
    assert plan(minimum_gene_share=0.4) == dict.fromkeys(steps[1:], 1)
    for name in ("counts.txt", "labels.tsv"):
        (folder / name).touch()
    assert plan() == {}
    with edited(folder / "labels.tsv", lambda text: text.replace("treated", "given")):
        assert plan() == dict.fromkeys(steps[1:], 1)
    with edited(folder / "workflow/scripts/scarceseq/guide/packing.py", appended):
        assert plan() == dict.fromkeys(steps, 1)
    with edited(folder / "workflow/scripts/scarceseq/fewshot/classifiers/knn.py", appended):
        assert plan() == {}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "elsewhere.zip"}, "own_study.model: there is no file 'elsewhere.zip'"),
        ({"labels": None}, "own_study.labels: is needed unless the counts are an .h5ad"),
        (
            {"methods": ["full_fine_tuning@reptile"]},
            "own_study.methods: full_fine_tuning@reptile needs meta/reptile, which no packed model has",
        ),
        ({"methods": ["knn@genes"]}, "own_study.methods: the first one, knn@genes, is not trained by gradient"),
        ({"best_candidates": ["knn@genes"]}, "own_study.best_candidates: 'knn@genes' is no classifier"),
        ({"best_candidates": ["logistic@pca"]}, "own_study.best_candidates: none of them is on genes"),
        (
            {"fitting": {"candidates": {"learning_rate": [0.1]}}},
            "own_study.fitting.candidates: every method must have as",
        ),
    ],
)
def test_a_wrong_key_of_the_own_study_is_named(laboratory, monkeypatch, changes, words):
    """As Snakemake prints it, see `test_snakemake_prints_that_message_and_runs_nothing`."""
    folder, _ = laboratory
    monkeypatch.chdir(folder)
    config = yaml.safe_load(Path(OWN[1]).read_text())
    with pytest.raises(InputError) as error:
        settings.complete(config | {"own_study": config["own_study"] | changes})
    assert words in str(error.value)


def test_a_tampered_model_stops_the_run_with_the_reason(laboratory):
    folder, _ = laboratory
    content = bytearray((folder / PACKED).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "tampered.zip").write_bytes(content)
    config = yaml.safe_load((folder / OWN[1]).read_text())
    config["own_study"]["model"], config["name"] = "tampered.zip", "tampered"
    (folder / "tampered.yaml").write_text(yaml.safe_dump(config))
    done = snakemake(folder, "--cores", "1", "--configfile", "tampered.yaml", check=False)
    assert done.returncode != 0
    assert "tampered.zip: not a whole packed model" in done.stdout
    assert not list((folder / "results/tampered/own_study/model").glob("*.safetensors"))

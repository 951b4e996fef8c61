"""From two real tables to a pooled difference, against a script of its own on pandas and scikit-learn.

Only which samples an episode has is taken from the package; counts, scaling, fits, scores and pooling are done again.
"""

import gzip
import re

import numpy as np
import pandas as pd
import pytest
import torch
from scarceseq.archive.settings import UserStudySettings
from scarceseq.archive.tables import read_annotation
from scarceseq.archive.user_study import import_study
from scarceseq.corpus.transform import log_tpm
from scarceseq.fewshot.cell import fit_cell
from scarceseq.fewshot.compose import compose
from scarceseq.fewshot.corpus import Corpus
from scarceseq.fewshot.episodes import plan_cell
from scarceseq.fewshot.method import Candidate
from scarceseq.fewshot.scores import score_episodes
from scarceseq.fewshot.settings import Cell, EpisodeSettings, Fitting
from scarceseq.pretrain.model import Base
from scarceseq.statistics.pooling import pool
from sklearn.linear_model import Ridge
from sklearn.metrics import balanced_accuracy_score
from sklearn.neighbors import NearestCentroid

GTF = "bulk/recount3_real/mouse_SRP081192_reconstructed_mirror/recount3/mouse/annotations/gene_sums/"
GTF += "mouse.gene_sums.M023.gtf.gz"
STUDIES = {
    "colitis": ("GSE131032_DSS_colitis", "dss_day"),
    "cortex": ("GSE330004_cortex_injury", "group"),
}
METHODS = {"ridge@logs": Candidate(0.1), "nearest_centroid@logs": Candidate(0.0)}


@pytest.fixture(scope="module")
def imported(shared_data):
    """Both studies by the product's own door, and the annotation."""
    annotation = read_annotation(shared_data / GTF)
    made = {}
    for name, (folder, column) in STUDIES.items():
        path = shared_data / "studies/mouse" / folder
        settings = UserStudySettings(
            name=name,
            counts=str(path / "expr.tsv.gz"),
            labels=str(path / "samples.tsv"),
            organism="mouse",
            gene_id_type="ensembl",
            label_columns=[column],
            attribute_names={column: "biological_1"},
        )
        made[name] = import_study(settings, annotation)
    return made, annotation


@pytest.fixture(scope="module")
def episodes_and_scores(imported):
    made, annotation = imported
    shared = np.logical_and.reduce([study.genes["measured"].to_numpy() for study in made.values()])
    length = annotation["bp_length"].to_numpy()[shared]
    expression = np.concatenate([log_tpm(study.counts[:, shared], length) for study in made.values()])
    samples = pd.concat([study.samples.rename_axis("sample").reset_index() for study in made.values()])
    attributes = pd.concat([study.attributes for study in made.values()])
    splits = pd.DataFrame({"split": "s", "study": list(made), "role": "test"})
    settings = EpisodeSettings(
        split="s",
        label="biological_1",
        protocol="within_study",
        episodes=40,
        validation_episodes=0,
        query_per_class=5,
    )
    table, _ = plan_cell(samples, attributes, splits, settings, Cell("t", 2, 2), seed=1)
    generator = np.random.default_rng(1)
    mean, scale = generator.normal(3, 1, shared.sum()), generator.uniform(0.1, 2, shared.sum())
    ids = annotation["gene_id"][shared].tolist()
    base = Base(None, ids, torch.tensor(mean).float(), torch.tensor(scale).float(), {"seed": 1, "split": "s"})
    corpus = Corpus(expression, samples, ids, base)
    methods = {name: (compose(name), None, [candidate]) for name, candidate in METHODS.items()}
    predictions, _ = fit_cell(table, corpus, splits, base, methods, Fitting(), 1)
    return table, score_episodes([({"base": "b", "task": "t"}, predictions)])


@pytest.fixture(scope="module")
def logarithms(shared_data):
    """log2(TPM + 1) of both tables by pandas alone: lengths out of the text of the annotation."""
    with gzip.open(shared_data / GTF, "rt") as handle:
        lines = [line for line in handle if line.split("\t")[2:3] == ["gene"]]
    length = {re.search(r'gene_id "([^".]+)', line)[1]: float(line.split("\t")[5]) for line in lines}
    tables = {}
    for name, (folder, _) in STUDIES.items():
        path = shared_data / "studies/mouse" / folder
        counts = pd.read_csv(path / "expr.tsv.gz", sep="\t", index_col=0)
        counts.index = counts.index.str.split(".").str[0]
        counts = counts[~counts.index.duplicated(keep=False)]
        tables[name] = counts[counts.index.isin(length)]
    genes = sorted(set.intersection(*(set(counts.index) for counts in tables.values())))
    kb = np.array([length[gene] for gene in genes])[:, None]
    found = {}
    for name, counts in tables.items():
        rate = counts.loc[genes] / kb
        of_study = np.log2(rate / rate.sum() * 1e6 + 1).T
        of_study.index = [f"{name}.{sample}" for sample in of_study.index]
        found[name] = of_study
    return pd.concat(found.values())


def again(part, logarithms):
    """Balanced accuracy of both methods on one episode."""
    support, query = part[part["part"] == "support"], part[part["part"] == "query"]
    train, asked = logarithms.loc[support["sample"]].to_numpy(), logarithms.loc[query["sample"]].to_numpy()
    classes = sorted(support["label"].unique())
    signs = support["label"].map({classes[0]: -1.0, classes[1]: 1.0})
    centred = train - train.mean(axis=0)
    ridge = Ridge(alpha=0.1 * (centred**2).sum(axis=1).mean(), solver="cholesky").fit(train, signs)
    by_ridge = np.where(ridge.predict(asked) > 0, classes[1], classes[0])
    by_centroid = NearestCentroid().fit(train, support["label"]).predict(asked)
    predicted = {"ridge@logs": by_ridge, "nearest_centroid@logs": by_centroid}
    return {name: balanced_accuracy_score(query["label"], values) for name, values in predicted.items()}


@pytest.mark.filterwarnings("ignore:self.within_class_std_dev_", "ignore:invalid value encountered in divide")
def test_scores_and_the_pooled_difference_are_those_of_an_independent_script(episodes_and_scores, logarithms):
    table, scores = episodes_and_scores
    scores = scores[scores["metric"] == "balanced_accuracy"]
    wide = scores.pivot_table(index=["study", "episode"], columns="method", values="value")
    expected = {
        (part["study"].iloc[0], number): again(part, logarithms) for number, part in table.groupby("episode", sort=True)
    }
    expected = pd.DataFrame(expected).T.rename_axis(["study", "episode"]).sort_index()
    assert len(expected) > 20
    pd.testing.assert_frame_equal(wide, expected[wide.columns], check_names=False)
    assert expected["nearest_centroid@logs"].min() < 1  # not all at the ceiling
    difference = wide["ridge@logs"] - wide["nearest_centroid@logs"]
    rows = difference.rename("value").reset_index().assign(fold=1, seed=1, task="t", series=lambda t: t["study"])
    own = expected["ridge@logs"] - expected["nearest_centroid@logs"]
    by_hand = np.mean([own.loc[study].mean() for study in STUDIES])
    assert pool(rows).difference == pytest.approx(by_hand)

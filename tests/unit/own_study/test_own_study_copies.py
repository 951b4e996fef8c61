"""An own study that holds a training sample under another name. Oracle: which sample was copied."""

import numpy as np
import pandas as pd
import pytest
import torch
from scarceseq.archive.settings import UserStudySettings
from scarceseq.corpus.transform import log_tpm
from scarceseq.errors import InputError
from scarceseq.guide.sketches import training_sketches
from scarceseq.own_study.study import read_own_study
from scarceseq.pretrain.model import Base

GENES = 1500
IDS = [f"ENSMUSG{number:011d}.1" for number in range(GENES)]


@pytest.fixture(scope="module")
def made():
    """Reads of ten training animals and of four others, the model as far as a study is read by it, and sketches."""
    generator = np.random.default_rng(1)
    length = np.full(GENES, 1500.0)
    level = generator.lognormal(5, 1.3, GENES)
    reads = generator.poisson(level * np.exp(generator.normal(0, 0.12, (14, GENES))))
    values = log_tpm(100 * reads[:10], length).astype(np.float16)
    mean_tpm = (np.exp2(values.astype(float)) - 1).mean(axis=0)
    samples = pd.DataFrame({"study": ["S1"] * 5 + ["S2"] * 5, "unit": "base_coverage", "average_mapped_length": 100.0})
    samples["rate_sum"] = (100 * reads[:10] / length).sum(axis=1)
    sketches, studies = training_sketches(values, np.arange(10), samples, IDS, mean_tpm)
    vocabulary = {"gene_names": IDS, "bp_length": length.tolist(), "mean_tpm": mean_tpm.tolist()}
    base = Base(torch.nn.Identity(), IDS, torch.zeros(GENES), torch.ones(GENES), {"vocabulary": vocabulary})
    card = {"organism": "mouse", "training_studies": studies, "scout_studies": [], "sketched_studies": studies}
    return reads, base, card, sketches


def settings_of(folder, counts):
    names = [f"animal{number}" for number in range(len(counts))]
    pd.DataFrame(counts.T, index=pd.Index(IDS, name="gene"), columns=names).to_csv(folder / "counts.tsv", sep="\t")
    labels = pd.DataFrame({"sample": names, "label": ["a", "b"] * (len(names) // 2)})
    labels.to_csv(folder / "labels.tsv", sep="\t", index=False)
    return UserStudySettings(
        name="mine",
        counts=str(folder / "counts.tsv"),
        labels=str(folder / "labels.tsv"),
        label_columns=["label"],
        sample_column="sample",
        gene_id_type="ensembl",
        quantity="counts",
        min_protein_coding_share=0.0,
        organism=None,
    )


def test_a_study_of_other_animals_is_read(made, tmp_path):
    reads, base, card, sketches = made
    study, _, _ = read_own_study(settings_of(tmp_path, reads[10:]), base, card, None, 0.9, (), sketches)
    assert len(study.counts) == 4


@pytest.mark.parametrize("change", [lambda x: x, lambda x: 5 * x, lambda x: x // 2], ids=["as it is", "x5", "halved"])
def test_a_training_sample_under_another_name_is_refused_and_both_are_named(change, made, tmp_path):
    reads, base, card, sketches = made
    counts = np.vstack([reads[10:13], change(reads[7:8])])
    with pytest.raises(InputError, match=r"1 of 4 samples are samples that .* mine\.animal3 is one of S2 .*holds"):
        read_own_study(settings_of(tmp_path, counts), base, card, None, 0.9, (), sketches)

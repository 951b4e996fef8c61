"""Filters and sums of a batch. Oracle: a study of eight runs whose fate is worked out by hand."""

import gzip
from types import SimpleNamespace

import anndata
import numpy as np
import pandas as pd
import pytest
from scarceseq.archive.fetch import fetch_batch
from scarceseq.archive.layout import Study, study_path
from scarceseq.archive.mirrors import Mirrors
from scarceseq.archive.ruled_out import StudyExclusion
from scarceseq.archive.settings import DownloadSettings
from scarceseq.corpus.settings import RunFilter
from scarceseq.corpus.shard import build_shard, runs_over_cap

STUDY = Study("mouse", "sra", "SRP000042")
ANNOTATION = pd.DataFrame(
    {
        "gene_id": ["g1.1", "g2.1", "g3.1", "g4.1"],
        "gene_name": ["A", "B", "C", "D"],
        "gene_type": ["protein_coding", "protein_coding", "protein_coding", "lncRNA"],
        "bp_length": [100, 200, 300, 400],
    }
)
FILTER = RunFilter(["rna-seq"], 1000, ["size fractionation"], 0.5, ["protein_coding"], 500)
#            run     experiment selection             auc     reads  length type          g1 g2 g3 g4
RUNS = [
    ("kept_a", "X1", "cDNA", "400", "3000", "50", "rna-seq", 2**31, 1, 1, 0),
    ("kept_b", "X1", "cDNA", "100", "1000", "100", "NA", 2**31, 2, 0, 5),
    ("kept_c", "X2", "NA", "9", "1000", "50", "NA", 7, 0, 7, 0),
    ("cells", "X3", "cDNA", "9", "9000", "50", "scrna-seq", 1, 1, 1, 1),
    ("sized", "X4", "Size Fractionation", "9", "9000", "50", "rna-seq", 1, 1, 1, 1),
    ("few", "X5", "cDNA", "9", "999", "50", "rna-seq", 1, 1, 1, 1),
    ("failed", "X6", "cDNA", "NA", "9000", "50", "rna-seq", 1, 1, 1, 1),
    ("sparse", "X7", "cDNA", "9", "9000", "50", "rna-seq", 1, 0, 0, 9),
    ("empty", "X8", "cDNA", "9", "9000", "50", "rna-seq", 0, 0, 0, 0),
]


def write(folder, kind, lines, head=""):
    path = folder / study_path(STUDY, kind, "M023")
    path.parent.mkdir(parents=True, exist_ok=True)
    text = head + "".join("\t".join(map(str, line)) + "\n" for line in lines)
    path.write_bytes(gzip.compress(text.encode()))


def built(plan, entries, files, path, settings=FILTER, dropped_genes=(), seed=1):
    """What `build_shard` made, with counts, samples and genes as anndata reads them."""
    shard = build_shard(plan, entries, files, ANNOTATION, settings, list(dropped_genes), seed, path)
    counts = anndata.read_h5ad(path)
    return SimpleNamespace(counts=counts.X, samples=counts.obs, genes=counts.var, **vars(shard))


@pytest.fixture
def batch(tmp_path):
    """Function that fetches the study and builds its shard; runs outside RUNS can be planned too."""
    folder = tmp_path / "mirror"
    write(
        folder,
        "gene_sums",
        [("gene_id", *(run[0] for run in RUNS))]
        + [(gene, *(run[7 + row] for run in RUNS)) for row, gene in enumerate(ANNOTATION["gene_id"])],
        "##annotation=M023\n",
    )
    key = ("rail_id", "external_id", "study")
    attributes = {"kept_a": "tissue;;liver|sex;;F", "kept_b": "tissue;;lung|sex;;F", "kept_c": "NA"}
    write(
        folder,
        "source",
        [(*key, "experiment_acc", "library_selection", "sample_attributes")]
        + [
            (index, run[0], "SRP", run[1], run[2], attributes.get(run[0], "tissue;;x"))
            for index, run in enumerate(RUNS)
        ]
        + [(99, "no_sums", "SRP", "X9", "cDNA", "tissue;;x")],
    )
    columns = ("bc_auc.all_reads_all_bases", "star.all_mapped_reads", "star.average_mapped_length")
    write(
        folder, "recount_qc", [(*key, *columns)] + [(index, run[0], "SRP", *run[3:6]) for index, run in enumerate(RUNS)]
    )
    write(
        folder,
        "recount_pred",
        [(*key, "pred.type")] + [(index, run[0], "SRP", run[6]) for index, run in enumerate(RUNS)],
    )

    def build(planned=tuple(run[0] for run in RUNS), settings=FILTER, dropped_genes=(), seed=1, excluded=None):
        mirrors = Mirrors([str(folder)], DownloadSettings(1, 0, 0, 5))
        rows = [(*("mouse", "sra", STUDY.project), run, "0") for run in planned]
        plan = pd.DataFrame(rows, columns=["organism", "source", "project", "run", "rail_id"])
        files = tmp_path / "batch"
        exclusion = None if excluded is None else StudyExclusion(settings, excluded)
        genes = list(ANNOTATION["gene_id"])
        entries = fetch_batch(mirrors, [(STUDY, set(planned))], "M023", genes, files, exclusion)
        return built(plan, entries, files, tmp_path / "shard.h5ad", settings, list(dropped_genes), seed)

    build.folder, build.files = folder, tmp_path / "batch"
    return build


def test_runs_of_one_experiment_are_summed_exactly(batch):
    shard = batch()
    assert shard.samples.index.tolist() == ["X1", "X2"]
    assert shard.counts.tolist() == [[2**32, 3, 1, 5], [7, 0, 7, 0]]
    assert shard.counts.dtype == np.int64
    first = shard.samples.loc["X1"]
    assert (first["runs"], first["auc"], first["mapped_reads"]) == ("kept_a,kept_b", 500, 4000)
    assert first["average_mapped_length"] == 62.5  # (3000 * 50 + 1000 * 100) / 4000
    assert first["unit"] == "base_coverage"


def test_each_dropped_run_has_one_line_with_its_reason(batch):
    dropped = batch(planned=[*(run[0] for run in RUNS), "no_sums", "unknown"]).dropped
    assert dropped["run"].is_unique
    assert dict(zip(dropped["run"], dropped["reason"], strict=True)) == {
        "cells": "type:pred.type",
        "sized": "library_selection",
        "few": "few_mapped_reads",
        "failed": "no_coverage",
        "sparse": "zero_fraction",
        "empty": "all_zero",
        "no_sums": "no_counts",
        "unknown": "no_counts",
    }
    values = dropped.set_index("run")["value"]
    assert (values["few"], values["sparse"], values["cells"]) == ("999.0", "0.6667", "scrna-seq")


def fetched(batch):
    return (batch.files / study_path(STUDY, "gene_sums", "M023")).exists()


def test_a_study_whose_runs_the_metadata_all_rule_out_is_not_fetched_and_dropped_as_if_it_were(batch):
    hopeless = ["cells", "sized", "few", "failed"]
    shard = batch(planned=hopeless, excluded=[])
    assert not fetched(batch)
    assert len(shard.counts) == 0
    planned = batch(planned=hopeless).dropped
    planned = planned[planned["reason"] != "not_in_archive_table"]
    assert shard.dropped.equals(planned.reset_index(drop=True))


def test_one_run_that_may_be_kept_is_reason_enough_to_fetch(batch):
    shard = batch(planned=["cells", "kept_c"], excluded=[])
    assert fetched(batch)
    assert shard.samples.index.tolist() == ["X2"]


@pytest.mark.parametrize(("word", "excluded"), [("GSM77", True), ("GSM7", False), ("GSM778", False), ("PRJ.*", False)])
def test_an_excluded_id_in_the_metadata_excludes_the_study(batch, word, excluded):
    path = batch.folder / study_path(STUDY, "source", "M023")
    path.write_bytes(
        gzip.compress(gzip.decompress(path.read_bytes()).replace(b"tissue;;x", b"tissue;;of GSM77, PRJNA1"))
    )
    shard = batch(excluded=[word])
    assert fetched(batch) != excluded
    assert (set(shard.dropped["reason"]) == {"study_excluded"}) == excluded
    if excluded:
        assert sorted(shard.dropped["run"]) == sorted(run[0] for run in RUNS)
        assert "GSM77" in shard.dropped["value"].iloc[0]


def test_kept_and_dropped_runs_add_up(batch):
    shard = batch()
    kept = [run for runs in shard.samples["runs"] for run in runs.split(",")]
    assert sorted([*kept, *shard.dropped["run"]]) == sorted(run[0] for run in RUNS)


def test_a_column_that_the_archive_does_not_list_is_not_used(batch):
    shard = batch(planned=[run[0] for run in RUNS if run[0] != "kept_c"])
    assert "X2" not in shard.samples.index
    assert shard.dropped.set_index("run").loc["kept_c", "reason"] == "not_in_archive_table"


def test_missing_predictions_drop_nobody(batch):
    (batch.folder / study_path(STUDY, "recount_pred", "M023")).unlink()
    assert "X3" in batch().samples.index


def test_header_only_predictions_drop_nobody(batch):
    write(batch.folder, "recount_pred", [("rail_id", "external_id", "study", "pred.type")])
    assert "X3" in batch().samples.index


def test_runs_without_metadata_are_dropped_by_name(batch):
    write(batch.folder, "source", [("rail_id", "external_id", "study", "experiment_acc")])
    shard = batch()
    assert len(shard.samples) == 0
    assert set(shard.dropped["reason"]) == {"no_metadata"}
    assert shard.counts.shape == (0, 4)


def test_a_study_that_cannot_be_used_lists_all_its_runs(batch):
    (batch.folder / study_path(STUDY, "source", "M023")).unlink()
    shard = batch()
    assert shard.counts.shape == (0, 4)
    assert shard.dropped["reason"].tolist() == ["study_unusable"] * len(RUNS)
    assert shard.dropped["value"].str.startswith("source absent").all()


def test_a_gene_with_wrong_sums_is_dropped(batch):
    shard = batch(dropped_genes=["g2.1"])
    assert shard.genes.index.tolist() == ["g1.1", "g3.1", "g4.1"]
    assert shard.counts[0].tolist() == [2**32, 1, 5]


def test_attributes_are_per_sample_and_show_where_runs_disagree(batch):
    rows = batch().attributes.to_numpy().tolist()
    assert rows == [["X1", "sex", "F"], ["X1", "tissue", "liver|lung"]]


def test_an_empty_batch_makes_an_empty_shard(tmp_path):
    plan = pd.DataFrame(columns=["organism", "source", "project", "run", "rail_id"])
    shard = built(plan, [], tmp_path, tmp_path / "shard.h5ad")
    assert shard.counts.shape == (0, 4)
    assert len(shard.dropped) == len(shard.attributes) == 0


def test_a_sum_beyond_64_bits_is_an_error(batch):
    lines = [("gene_id", "kept_a", "kept_b")] + [(gene, 2**62, 2**62) for gene in ANNOTATION["gene_id"]]
    write(batch.folder, "gene_sums", lines, "##annotation=M023\n")
    with pytest.raises(OverflowError, match="X1"):
        batch(planned=["kept_a", "kept_b"])


def test_the_cap_takes_whole_samples_by_the_seed():
    experiments = pd.Series({f"run{index}": f"X{index // 2}" for index in range(20)})
    over = runs_over_cap(experiments, 7, 1, STUDY)
    kept = experiments[~over]
    assert len(kept) == 6
    assert kept.value_counts().tolist() == [2, 2, 2]
    assert runs_over_cap(experiments.sample(frac=1, random_state=3), 7, 1, STUDY).sort_index().equals(over.sort_index())
    drawn = {tuple(experiments[~runs_over_cap(experiments, 7, seed, STUDY)]) for seed in range(5)}
    assert len(drawn) > 1

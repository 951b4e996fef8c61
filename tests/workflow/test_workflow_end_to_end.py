"""The tiny world from archive to report."""

import functools
import http.server
import json
import re
import threading

import pandas as pd
import pytest
import torch
import yaml
from helpers import planned, snakemake
from scarceseq.config import settings
from scarceseq.pretrain.run import pretrain
from scarceseq.pretrain.samples import read_matrix
from scarceseq.pretrain.settings import PretrainSettings

TINY = ("--configfile", "tests/config/tiny.yaml")


def test_the_run_ends_in_a_report(finished_run):
    page = (finished_run / "results/tiny/report.html").read_text()
    assert page.count("<svg") >= 10
    assert not re.search(r'(?:src|href)="https?://', page)


def test_a_second_run_does_nothing(finished_run):
    assert planned(finished_run, *TINY) == {}


def test_every_listed_run_is_accounted_for(finished_run):
    root = finished_run / "results/tiny"
    studies = pd.read_csv(root / "archive/studies.tsv", sep="\t")
    listed = studies.loc[studies["skip_reason"].isna(), "runs"].sum()
    samples = pd.read_parquet(root / "corpus/samples.parquet")
    kept = samples["runs"].str.split(",").str.len().sum()
    dropped = len(pd.read_csv(root / "corpus/dropped_runs.tsv", sep="\t"))
    assert listed == kept + dropped


def test_one_table_tells_what_became_of_every_listed_study(finished_run):
    root = finished_run / "results/tiny"
    listed = pd.read_csv(root / "archive/studies.tsv", sep="\t").set_index("project")
    statuses = pd.read_csv(root / "corpus/studies.tsv", sep="\t").set_index("study")
    assert statuses.loc[listed.index, "runs"].equals(listed["runs"].rename_axis("study"))
    fetched = statuses[statuses["status"] != "skipped"]
    assert (fetched["runs"] == fetched["kept_runs"] + fetched["dropped_runs"]).all()
    assert statuses["samples"].sum() == len(pd.read_parquet(root / "corpus/samples.parquet"))
    assert {"kept", "skipped"} <= set(statuses["status"])


def test_metadata_of_every_planned_run_are_kept_whole(finished_run):
    root = finished_run / "results/tiny"
    table = pd.read_parquet(root / "corpus/metadata.parquet")
    planned = pd.concat(pd.read_csv(path, sep="\t", dtype=str) for path in root.glob("archive/plan/*.tsv"))
    assert set(table["run"]) == set(planned["run"])
    samples = pd.read_parquet(root / "corpus/samples.parquet")
    kept = set(",".join(samples.loc[samples["source"] == "sra", "runs"]).split(","))
    assert kept <= set(table["run"])
    assert {"sra.sample_attributes", "recount_qc.star.all_mapped_reads", "recount_pred.pred.type"} <= set(table)
    listed = {name for name in planned if name.startswith("recount_project.")}
    assert len(listed) == 5
    assert table[list(listed)].notna().all(axis=None)


def test_counts_of_studies_that_their_metadata_rule_out_are_never_fetched(finished_run):
    root = finished_run / "results/tiny"
    dropped = pd.read_csv(root / "corpus/dropped_runs.tsv", sep="\t")
    skipped = {}
    for path in root.glob("archive/batches/*/manifest.jsonl"):
        for line in map(json.loads, path.read_text().splitlines()):
            if line["status"] == "skipped":
                skipped[line["project"]] = line["detail"]
                assert not (path.parent / line["path"]).exists()
    told = sorted(re.search(r"\d+ (\S+)$", detail)[1] for detail in skipped.values())
    assert told == ["library_selection", "type:pred.type"]
    assert set(dropped.loc[dropped["study"].isin(skipped), "reason"]) == set(told)


@pytest.mark.parametrize("architecture", ["mlp", "transformer"])
def test_both_architectures_learn_the_small_world(finished_run, architecture):
    corpus = finished_run / "results/tiny/corpus"
    paths = [corpus / name for name in ("training.npy", "samples.parquet", "genes.parquet", "splits.tsv")]
    matrix = read_matrix(*paths, "default", corpus / "attributes.parquet", ["tissue"])
    config = yaml.safe_load((finished_run / TINY[1]).read_text())
    base = config["pretrain"]["bases"]["mlp"] | {"architecture": architecture, "depth": 1, "heads": 2, "steps": 60}
    base |= {"token_width": 16, "expression_bins": 12, "learning_rate": 0.003, "warm_up_steps": 5}
    base |= {"batch_samples": 16, "validate_every_steps": 20}
    base |= {"objectives": {"masked_expression": {}, "labels": {"keys": ["tissue"], "minimum_studies": 1}}}
    config["pretrain"]["bases"]["mlp"] = base
    chosen = settings.complete(config)["pretrain"]["bases"]["mlp"]
    del chosen["further_seeds"], chosen["threads"]
    _, history, _ = pretrain(matrix, PretrainSettings(**chosen), 7, torch.device("cpu"))
    for name in ("masked_expression", "labels"):
        assert history[-1][f"train_{name}"] < 0.8 * history[0][f"train_{name}"]


def test_no_study_has_two_roles(finished_run):
    splits = pd.read_csv(finished_run / "results/tiny/corpus/splits.tsv", sep="\t")
    assert not splits.duplicated(["split", "study"]).any()
    assert {"pretrain", "test"} <= set(splits["role"])


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder without a line for each request."""

    def log_message(self, *_):
        pass


def test_over_http_the_archive_gives_the_same_corpus_as_from_its_folder(finished_run, repository_copy):
    archive = finished_run / "results/tiny/demo/archive"
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(QuietHandler, directory=archive))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    config = yaml.safe_load((finished_run / TINY[1]).read_text())
    config = {key: config[key] for key in ("seed", "device", "archive", "corpus")} | {"name": "over_http"}
    config["archive"]["mirrors"] = [f"http://127.0.0.1:{server.server_address[1]}"]
    (repository_copy / "over_http.yaml").write_text(yaml.safe_dump(config))
    try:
        snakemake(repository_copy, "--cores", "2", "--configfile", "over_http.yaml")
    finally:
        server.shutdown()
        server.server_close()
    for name in (
        "training.npy",
        "corpus.h5ad",
        "samples.parquet",
        "attributes.parquet",
        "dropped_runs.tsv",
        "splits.tsv",
    ):
        over_http = repository_copy / "results/over_http/corpus" / name
        assert over_http.read_bytes() == (finished_run / "results/tiny/corpus" / name).read_bytes(), name


def test_no_rule_reads_the_truth(finished_run):
    rules = [path.read_text() for path in (finished_run / "rules").rglob("*.smk")]
    assert sum(text.count("demo/truth") for text in rules) == 1  # where it is written
    assert 'truth=directory("<results>/demo/truth")' in (finished_run / "rules/demo.smk").read_text()

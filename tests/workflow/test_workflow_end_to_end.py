"""The tiny world from archive to report."""

import re

import pandas as pd
from helpers import planned

TINY = ("--configfile", "tests/config/tiny.yaml")


def test_the_run_ends_in_a_report(finished_run):
    page = (finished_run / "results/tiny/report.html").read_text()
    assert "<svg" in page
    assert not re.search(r'(?:src|href)="https?://', page.replace('href="http', 'href="http'))


def test_a_second_run_does_nothing(finished_run):
    assert planned(finished_run, *TINY) == {}


def test_every_listed_run_is_accounted_for(finished_run):
    root = finished_run / "results/tiny"
    studies = pd.read_csv(root / "archive/studies.tsv", sep="\t", keep_default_na=False)
    listed = studies.loc[studies["skip_reason"] == "", "runs"].sum()
    samples = pd.read_parquet(root / "corpus/samples.parquet")
    kept = samples["runs"].str.split(",").str.len().sum()
    dropped = len(pd.read_csv(root / "corpus/dropped_runs.tsv", sep="\t"))
    assert listed == kept + dropped


def test_no_study_has_two_roles(finished_run):
    splits = pd.read_csv(finished_run / "results/tiny/corpus/splits.tsv", sep="\t")
    assert not splits.duplicated(["split", "study"]).any()
    assert {"pretrain", "test"} <= set(splits["role"])

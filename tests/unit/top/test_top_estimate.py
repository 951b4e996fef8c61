"""What is said before a run starts. Oracles: the real lists of projects and runs; products by hand."""

import gzip

import pandas as pd
import pytest
import yaml
from scarceseq.config import estimate
from scarceseq.config.settings import complete


@pytest.fixture
def config_of(request):
    def read(name):
        return complete(yaml.safe_load((request.config.rootpath / f"config/{name}.yaml").read_text()))

    return read


@pytest.mark.parametrize(("name", "organism"), [("mouse", "mouse"), ("mouse_small", "mouse"), ("human_small", "human")])
def test_the_expected_size_is_near_that_of_the_real_list(config_of, shared_data, name, organism):
    archive = config_of(name)["archive"]
    path = shared_data / f"bulk/recount3_inventory/{organism}_samples_from_ucsc_hubs.tsv.gz"
    with gzip.open(path, "rt") as handle:
        runs = pd.read_csv(handle, sep="\t", dtype=str)
    sizes = runs[runs["source"].isin(archive["sources"])].groupby("project").size()
    sizes = sizes[sizes.between(archive["min_runs"], archive["max_study_runs"] or sizes.max())]
    drawn = min(len(sizes), archive["draw_studies"] or len(sizes))
    runs = sizes.mean() * drawn
    found = estimate.expected(archive)
    assert found.studies == pytest.approx(drawn, rel=0.15)
    assert found.runs == pytest.approx(min(runs, archive["max_runs"] or runs), rel=0.2)


def test_a_list_that_is_there_is_counted(tmp_path):
    rows = [("SRP1", 30, "batch_0", ""), ("SRP2", 5, "NA", "under 6 runs"), ("SRP3", 12, "SRP3", "")]
    table = pd.DataFrame(rows, columns=["project", "runs", "batch", "skip_reason"])
    table.to_csv(tmp_path / "studies.tsv", sep="\t", index=False)
    found = estimate.planned(tmp_path / "studies.tsv")
    assert (found.studies, found.runs, found.requests) == (2, 42, 13)


def test_the_sentence_names_requests_gigabytes_hours_and_disk():
    said = estimate.sentence(estimate.Estimate(1000, 100_000), exact=True, hours=5.25, cores=2)
    # 100,000 runs of 141 kB are 14.1 GB, 112.8 Gbit, 1,128 s at 100 Mbit/s.
    assert said == (
        "This run plans 1,000 studies of 100,000 runs: up to 5,003 requests and 14.1 GB of downloads (19 minutes at "
        "100 Mbit/s), 38.0 GB of disk, and some 5.2 hours of computing on 2 cores."
    )
    assert "about 3 studies of about 1 runs" in estimate.sentence(estimate.Estimate(3, 1), False, 0.001, 1)
    assert "1 minute of computing on 1 core." in estimate.sentence(estimate.Estimate(3, 1), False, 0.001, 1)


def test_hours_grow_with_what_is_asked_for(config_of):
    config = config_of("mouse_small")
    size = estimate.Estimate(200, 5000)
    before = estimate.computing_hours(config, size)
    assert estimate.computing_hours(config, estimate.Estimate(200, 10_000)) - before == pytest.approx(
        5000 * estimate.SECONDS_PER_RUN / 3600
    )
    # A first layer of 256 units, of 1,024.
    config["guide"]["schemes"]["cluster_pairs"]["scouts"] += 100
    assert estimate.computing_hours(config, size) - before == pytest.approx(100 * estimate.SECONDS_PER_SCOUT / 4 / 3600)

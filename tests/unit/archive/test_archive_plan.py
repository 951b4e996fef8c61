"""Planning the batches. Oracles: counts by hand; the real list of mouse studies."""

import pandas as pd
import pytest
from scarceseq.archive.plan import (
    fetch_project_tables,
    plan_studies,
    planned_studies,
    runs_of_batch,
)
from scarceseq.errors import InputError

BATCHES = ["batch_0", "batch_1", "batch_2"]


def runs_of(sizes):
    rows = [
        ("mouse", "sra", project, f"{project}_{index}", "1") for project, size in sizes.items() for index in range(size)
    ]
    return pd.DataFrame(rows, columns=["organism", "source", "project", "run", "rail_id"])


def test_each_study_is_in_one_batch_or_skipped_with_a_reason():
    runs = runs_of({f"SRP{number}": number for number in range(1, 31)})
    studies = plan_studies(runs, BATCHES, 5, only=[], excluded=["SRP20"])
    assert studies["batch"].notna().equals(studies["skip_reason"].isna())
    reasons = studies.set_index("project")["skip_reason"]
    assert reasons["SRP4"] == "under 5 runs"
    assert reasons["SRP20"] == "excluded"
    fetched = pd.concat([runs_of_batch(runs, studies, batch) for batch in BATCHES])
    assert len(fetched) == sum(range(5, 31)) - 20
    assert not fetched.duplicated().any()
    assert sum(1 for batch in BATCHES for _ in planned_studies(runs_of_batch(runs, studies, batch))) == 25


def test_a_study_stays_in_its_batch_when_others_are_added():
    few = plan_studies(runs_of({f"SRP{number}": 9 for number in range(20)}), BATCHES, 1, [], [])
    more = plan_studies(runs_of({f"SRP{number}": 9 for number in range(60)}), BATCHES, 1, [], [])
    both = few.merge(more, on="project")
    assert len(both) == 20
    assert both["batch_x"].equals(both["batch_y"])
    assert few["batch"].nunique() == 3


def test_only_listed_studies_are_taken():
    studies = plan_studies(runs_of({"SRP1": 3, "SRP2": 3}), BATCHES, 1, only=["SRP2"], excluded=[])
    assert studies["skip_reason"].fillna("").tolist() == ["not listed", ""]


def test_skipping_every_study_is_an_error():
    with pytest.raises(InputError, match="min_runs"):
        plan_studies(runs_of({"SRP1": 3}), BATCHES, 4, [], [])


def test_the_runs_come_from_the_source_level_table(tiny, make_mirrors, tmp_path):
    runs = fetch_project_tables(make_mirrors(tiny.folder), "mouse", ["sra"], tmp_path)
    assert runs[["project", "run"]].to_numpy().tolist() == [["SRP000101", run] for run in tiny.runs]


def test_a_source_that_the_organism_lacks_is_named(tiny, make_mirrors, tmp_path):
    with pytest.raises(InputError, match=r"archive\.sources.*'gtex'"):
        fetch_project_tables(make_mirrors(tiny.folder), "mouse", ["gtex"], tmp_path)


def test_the_real_list_of_mouse_studies_is_planned_without_loss(shared_data):
    runs = pd.read_csv(shared_data / "bulk/recount3_inventory/mouse_samples_from_ucsc_hubs.tsv.gz", sep="\t", dtype=str)
    runs = runs.set_axis(["source", "project", "run"], axis=1).assign(organism="mouse", rail_id="0")
    batches = [f"batch_{index}" for index in range(150)]
    studies = plan_studies(runs, batches, 10, [], [])
    assert len(studies) == 10087
    assert studies["runs"].sum() == 388153
    assert (studies["skip_reason"] == "under 10 runs").sum() == 10087 - 5379

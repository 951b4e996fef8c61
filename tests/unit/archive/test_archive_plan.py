"""Planning the batches. Oracles: counts by hand; the real list of mouse studies."""

from dataclasses import fields

import pandas as pd
import pytest
from scarceseq.archive.excluded_ids import ids_table, with_metadata
from scarceseq.archive.manifest import Entry
from scarceseq.archive.plan import (
    excluded_projects,
    fetch_project_tables,
    plan_studies,
    planned_studies,
    projects_of_ids,
    runs_by_batch,
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
    studies = plan_studies(runs, BATCHES, (5, 0), only=[], excluded={"SRP20": "SRP20", "SRP21": "GSE7"})
    assert studies["batch"].notna().equals(studies["skip_reason"].isna())
    reasons = studies.set_index("project")["skip_reason"]
    assert reasons["SRP4"] == "under 5 runs"
    assert reasons["SRP20"] == "excluded"
    assert reasons["SRP21"] == "excluded: GSE7"
    plans = runs_by_batch(runs, studies, BATCHES)
    fetched = pd.concat(plans.values())
    assert len(fetched) == sum(range(5, 31)) - 20 - 21
    assert not fetched.duplicated().any()
    assert sum(1 for plan in plans.values() for _ in planned_studies(plan)) == 24
    batch = {study.project: batch for batch, plan in plans.items() for study, _ in planned_studies(plan)}
    assert batch == studies.dropna(subset="batch").set_index("project")["batch"].to_dict()


def test_a_study_stays_in_its_batch_when_others_are_added():
    few = plan_studies(runs_of({f"SRP{number}": 9 for number in range(20)}), BATCHES, (1, 0), [], {})
    more = plan_studies(runs_of({f"SRP{number}": 9 for number in range(60)}), BATCHES, (1, 0), [], {})
    both = few.merge(more, on="project")
    assert len(both) == 20
    assert both["batch_x"].equals(both["batch_y"])
    assert few["batch"].nunique() == 3


def test_only_listed_studies_are_taken():
    studies = plan_studies(runs_of({"SRP1": 3, "SRP2": 3}), BATCHES, (1, 0), only=["SRP2"], excluded={})
    assert studies["skip_reason"].fillna("").tolist() == ["not listed", ""]


def test_skipping_every_study_is_an_error():
    with pytest.raises(InputError, match="min_runs"):
        plan_studies(runs_of({"SRP1": 3}), BATCHES, (4, 0), [], {})


def test_beside_studies_of_the_user_the_archive_may_have_none():
    runs = runs_of({"SRP1": 3})
    studies = plan_studies(runs, BATCHES, (4, 0), [], {}, own_studies=True)
    assert studies["skip_reason"].tolist() == ["under 4 runs"]
    assert all(plan.empty for plan in runs_by_batch(runs, studies, BATCHES).values())


def test_the_runs_come_from_the_source_level_table(tiny, make_mirrors, tmp_path):
    runs = fetch_project_tables(make_mirrors(tiny.folder), "mouse", ["sra"], tmp_path)
    assert runs[["project", "run"]].to_numpy().tolist() == [["SRP000101", run] for run in tiny.runs]


def test_a_source_that_the_organism_lacks_is_named(tiny, make_mirrors, tmp_path):
    with pytest.raises(InputError, match=r"archive\.sources.*'gtex'"):
        fetch_project_tables(make_mirrors(tiny.folder), "mouse", ["gtex"], tmp_path)


def test_a_giant_is_alone_in_a_batch_of_its_own_and_moves_nobody():
    sizes = {f"SRP{number}": 9 for number in range(20)}
    without = plan_studies(runs_of(sizes), BATCHES, (1, 0), [], {}, giants=["SRP77"])
    studies = plan_studies(runs_of(sizes | {"SRP77": 500}), BATCHES, (1, 0), [], {}, giants=["SRP77"])
    assert studies.loc[studies["batch"] == "SRP77", "project"].tolist() == ["SRP77"]
    assert studies[studies["project"] != "SRP77"].reset_index(drop=True).equals(without)
    plans = runs_by_batch(runs_of(sizes), without, [*BATCHES, "SRP77"])
    assert (len(plans["SRP77"]), list(plans["SRP77"].columns)) == (0, list(plans["batch_0"].columns))


def test_ids_of_other_archives_lead_to_projects_by_a_table_of_any_columns():
    table = [["PRJNA1", "SRP1", "GSE1"], ["PRJNA2", "SRP2", ""], ["", "SRP3", "GSE3"]]
    found = excluded_projects(
        projects_of_ids(["SRP9", "GSE1", "PRJNA2", "GSE4"], ["SRP1", "SRP2", "SRP3", "SRP9"], table)
    )
    assert found == {"SRP9": "SRP9", "SRP1": "GSE1", "SRP2": "PRJNA2"}


def test_an_excluded_id_that_leads_nowhere_is_told(caplog):
    assert excluded_projects(projects_of_ids(["GSE4"], ["SRP1"])) == {}
    assert "GSE4" in caplog.text


def test_an_excluded_id_that_nothing_knows_is_listed_and_can_stop_the_run(caplog):
    led = projects_of_ids(["SRP1", "PRJNA1", "GSM7", "GSE404"], ["SRP1", "SRP2"], [["prjna1 ", "srp1"]])
    ids = ids_table(led)
    keys = {field.name: None for field in fields(Entry)} | {"organism": "mouse", "source": "sra", "kind": "gene_sums"}
    ruled_out = Entry(**keys | {"project": "SRP2", "status": "skipped", "detail": "excluded: GSM7 in its metadata"})
    table = with_metadata(ids, [ruled_out], [], must_be_found=False)
    assert table.to_numpy().tolist() == [["SRP1", "SRP1"], ["PRJNA1", "SRP1"], ["GSM7", "SRP2"], ["GSE404", ""]]
    assert "no table and no metadata have: GSE404" in caplog.text
    with pytest.raises(InputError, match=r"no table and no metadata have: GSE404.*study_accessions"):
        with_metadata(ids, [ruled_out], [], must_be_found=True)
    assert excluded_projects(led) == {"SRP1": "SRP1"}

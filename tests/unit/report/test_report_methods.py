"""Methods text, references and provenance of a run: complete, of this run, and as their formats ask."""

import json
import re
from datetime import datetime

import pytest
from report_labels import LABELS
from scarceseq.report.answers import questions
from scarceseq.report.crate import METADATA, PROFILES, WORKFLOW, crate
from scarceseq.report.inputs import Inputs
from scarceseq.report.methods_text import CITED, bibliography, methods
from scarceseq.report.references import REFERENCES

RESULTS = ["report.html", "methods.md", "references.bib", "figures/", "tables/"]


def test_every_citation_has_its_reference_and_none_is_left_over():
    stages = {"archive": {"organism": "mouse", "min_runs": 6}, "guide": {"schemes": {"pairs": {"scouts": 7}}}}
    settings = {"name": "n", "seed": 3, **stages}
    cited = set(re.findall(r"@(\w+)", methods(settings, [], "abc")))
    given = re.findall(r"^@\w+\{(\w+),", bibliography(settings), re.MULTILINE)
    assert cited == set(given) == {"wilks2021", "gtl_images", "gtl_rnaseq", "molder2021"}
    assert given == sorted(given)
    assert {key for keys in CITED.values() for key in keys} | {"molder2021"} == set(REFERENCES)
    for key, text in REFERENCES.items():
        assert text.startswith(("@article{" + key, "@misc{" + key, "@inproceedings{" + key))
        assert text.count("{") == text.count("}")


def test_the_methods_have_the_numbers_of_the_run(whole_run, whole_settings):
    settings = whole_settings | {"archive": {"organism": "mouse", "min_runs": 6}}
    for stage in ("pretrain", "guide", "selection", "fewshot"):
        assert stage in settings
    asked = questions(Inputs(whole_run[1], LABELS), settings)
    text = methods(settings, asked, "abc123")
    for said in ("at commit abc123", "seed 3", "at least 6 runs", "3 methods were compared", "torch 2.", "0.05"):
        assert said in text
    for question in asked:
        assert question.card.sentences[0] in text
    assert "None" not in text
    assert "nan" not in text


@pytest.fixture(scope="module")
def graph(whole_run, whole_settings):
    document = crate(whole_settings, whole_run[0] / "run", RESULTS, "abc123")
    assert json.loads(json.dumps(document)) == document
    return {entity["@id"]: entity for entity in document["@graph"]}


def references_of(value):
    if isinstance(value, dict):
        yield from [value["@id"]] if set(value) == {"@id"} else ()
    elif isinstance(value, list):
        for each in value:
            yield from references_of(each)


def of_type(graph, name):
    return [
        each
        for each in graph.values()
        if name in (each["@type"] if isinstance(each["@type"], list) else [each["@type"]])
    ]


def one(value):
    [key] = references_of(value) if isinstance(value, (dict, list)) else [value]
    return key


def test_the_crate_has_what_ro_crate_and_workflow_ro_crate_ask_for(graph):
    descriptor, root = graph[METADATA], graph["./"]
    assert descriptor["about"] == {"@id": "./"}
    assert "https://w3id.org/ro/crate/1.1" in list(references_of(descriptor["conformsTo"]))
    assert set(references_of(root["conformsTo"])) == set(PROFILES)
    assert {"name", "description", "datePublished", "license"} <= set(root)
    workflow = graph[one(root["mainEntity"])]
    assert {"File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"} == set(workflow["@type"])
    language = graph[one(workflow["programmingLanguage"])]
    assert language["@type"] == "ComputerLanguage"
    assert set(references_of(root["hasPart"])) == {WORKFLOW, *RESULTS}
    assert [key for key in PROFILES if graph[key]["@type"] != "CreativeWork"] == []


def test_every_reference_of_the_crate_is_described_in_it(graph):
    outside = {"https://w3id.org/ro/crate/1.1", "https://snakemake.readthedocs.io"}
    wanted = {key for entity in graph.values() for value in entity.values() for key in references_of(value)}
    assert wanted - set(graph) - outside == set()


def test_the_crate_has_what_a_provenance_run_crate_must_have(graph):
    """Each MUST of the profile: tools, steps, their executions, the run and the engine."""
    workflow, root = graph[WORKFLOW], graph["./"]
    run = graph[one(root["mentions"])]
    assert run["@type"] == "CreateAction"
    assert one(run["instrument"]) == WORKFLOW
    tools, steps = (list(references_of(workflow[key])) for key in ("hasPart", "step"))
    assert len(tools) == len(steps) > 1
    for step in steps:
        assert graph[step]["@type"] == "HowToStep"
        assert one(graph[step]["workExample"]) in tools
    jobs = [each for each in of_type(graph, "CreateAction") if each is not run]
    assert {one(job["instrument"]) for job in jobs} == set(tools)
    controls = of_type(graph, "ControlAction")
    assert {one(each["object"]) for each in controls} == {job["@id"] for job in jobs}
    for control in controls:
        step = graph[one(control["instrument"])]
        assert step["@type"] == "HowToStep"
        assert one(step["workExample"]) == one(graph[one(control["object"])]["instrument"])
    [engine] = of_type(graph, "OrganizeAction")
    assert graph[one(engine["instrument"])]["@type"] == "SoftwareApplication"
    assert one(engine["result"]) == run["@id"]
    assert set(references_of(engine["object"])) == {each["@id"] for each in controls}


def test_jobs_lie_within_the_run_and_take_as_long_as_their_benchmark_says(graph, whole_run):
    times = {
        key: [datetime.fromisoformat(each[end]) for end in ("startTime", "endTime")]
        for key, each in graph.items()
        if "startTime" in each
    }
    start, end = times["#run"]
    jobs = {key: each for key, each in times.items() if key.startswith("#job/")}
    assert len(jobs) > 1
    for key, (first, last) in jobs.items():
        assert start <= first <= last <= end
        path = whole_run[0] / "run" / "benchmarks" / f"{key.removeprefix('#job/')}.tsv"
        seconds = float(path.read_text().splitlines()[1].split("\t")[0])
        assert (last - first).total_seconds() >= seconds - 1.5

"""A Provenance Run Crate: what ran, by which steps, when, and what came out (RO-Crate 1.1 and its profiles of runs)."""

import datetime
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from scarceseq.report.resources import read_benchmarks

SNAKEFILE = Path(__file__).parents[4] / "Snakefile"
WORKFLOW, METADATA = "Snakefile", "ro-crate-metadata.json"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/provenance/0.5": ("Provenance Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
CONTEXT = ["https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context"]
LANGUAGE = "https://w3id.org/workflowhub/workflow-ro-crate#snakemake"
FORMATS = {".html": "text/html", ".md": "text/markdown", ".bib": "application/x-bibtex"}
RUN, ENGINE, CONFIG, LICENCE = "#run", "#snakemake", "#config", "#licence"


def crate(
    settings: Mapping[str, Any], folder: str | Path, results: Sequence[str], commit: str | None = None
) -> dict[str, Any]:
    """The crate's metadata as a JSON-LD document; `settings` is the whole config, `commit` that of the code.

    The folder ``benchmarks`` in `folder`, the run's results, says which jobs ran, how long and until when. `results` is
    what a reader is to find in the folder: files, and folders with a slash at the end.
    """
    jobs = _timed(Path(folder) / "benchmarks")
    now = datetime.datetime.now(datetime.UTC)
    rules = list(dict.fromkeys(jobs["rule"]))
    first = min([now, *jobs["start"]])
    run = _action(RUN, f"Run of {settings['name']}", WORKFLOW, first, now)
    run |= {"object": _to([CONFIG]), "result": _to(results)}
    steps = [each for rule in enumerate(rules) for each in _step(*rule)]
    actions = [each for job in jobs.itertuples() for each in _job(job)]
    graph = [
        *_frame(settings, results, now),
        _workflow(rules, commit),
        *_context(settings),
        run,
        {
            "@id": "#orchestration",
            "@type": "OrganizeAction",
            "name": "Run of Snakemake",
            "instrument": {"@id": ENGINE},
            "object": _to([f"#control/{job.rule}/{job.job}" for job in jobs.itertuples()]),
            "result": {"@id": RUN},
            "startTime": _text(first),
            "endTime": _text(now),
        },
        *steps,
        *actions,
        *[_entity(name) for name in results],
    ]
    return {"@context": CONTEXT, "@graph": graph}


def _timed(folder: Path) -> pd.DataFrame:
    """Jobs with their start and end, from the time at which each benchmark file was written."""
    jobs = read_benchmarks(folder)
    ends = [
        datetime.datetime.fromtimestamp((folder / job.rule / f"{job.job}.tsv").stat().st_mtime, datetime.UTC)
        for job in jobs.itertuples()
    ]
    starts = [
        end - datetime.timedelta(seconds=float(job.seconds)) for end, job in zip(ends, jobs.itertuples(), strict=True)
    ]
    return jobs.assign(start=starts, end=ends)


def _frame(settings: Mapping[str, Any], results: Sequence[str], now: datetime.datetime) -> list[dict[str, Any]]:
    """The descriptor, the root, the profiles that it conforms to."""
    return [
        {
            "@id": METADATA,
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": _to(["https://w3id.org/ro/crate/1.1", "https://w3id.org/workflowhub/workflow-ro-crate/1.0"]),
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "name": f"scarceseq run {settings['name']}",
            "description": "Report, figures, tables and methods of a run of the workflow scarceseq.",
            "datePublished": now.date().isoformat(),
            "license": {"@id": LICENCE},
            "conformsTo": _to(PROFILES),
            "hasPart": _to([WORKFLOW, *results]),
            "mainEntity": {"@id": WORKFLOW},
            "mentions": {"@id": RUN},
        },
        {
            "@id": LICENCE,
            "@type": "CreativeWork",
            "name": "Licence of the results",
            "description": "The workflow is under the MIT licence; the results belong to whoever made the run.",
        },
        *[
            {"@id": key, "@type": "CreativeWork", "name": name, "version": version}
            for key, (name, version) in PROFILES.items()
        ],
    ]


def _workflow(rules: Sequence[str], commit: str | None) -> dict[str, Any]:
    return {
        "@id": WORKFLOW,
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
        "name": "scarceseq",
        "description": "Front door of the workflow; its rules are in the repository, in the folder `rules`.",
        "license": "https://spdx.org/licenses/MIT",
        "programmingLanguage": {"@id": LANGUAGE},
        "hasPart": _to([f"#rule/{rule}" for rule in rules]),
        "step": _to([f"#step/{rule}" for rule in rules]),
        **({"version": commit} if commit else {}),
    }


def _context(settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    version = metadata.version("snakemake")
    page = {"@id": "https://snakemake.readthedocs.io"}
    return [
        {
            "@id": LANGUAGE,
            "@type": "ComputerLanguage",
            "name": "Snakemake",
            "identifier": page,
            "url": page,
            "version": version,
        },
        {"@id": ENGINE, "@type": "SoftwareApplication", "name": f"Snakemake {version}", "softwareVersion": version}
        | {"operatingSystem": f"{platform.system()} {platform.machine()}"},
        {
            "@id": CONFIG,
            "@type": "PropertyValue",
            "name": "config",
            "value": yaml.safe_dump(dict(settings), sort_keys=False, allow_unicode=True),
        },
    ]


def _step(place: int, rule: str) -> list[dict[str, Any]]:
    return [
        {"@id": f"#step/{rule}", "@type": "HowToStep", "position": str(place), "workExample": {"@id": f"#rule/{rule}"}},
        {"@id": f"#rule/{rule}", "@type": "SoftwareApplication", "name": rule, "isPartOf": {"@id": WORKFLOW}},
    ]


def _job(job: Any) -> list[dict[str, Any]]:
    """A job and what orchestrated it."""
    key = f"{job.rule}/{job.job}"
    control = {"@id": f"#control/{key}", "@type": "ControlAction", "name": f"orchestration of {key}"}
    control |= {"instrument": {"@id": f"#step/{job.rule}"}, "object": {"@id": f"#job/{key}"}}
    return [_action(f"#job/{key}", f"job {key}", f"#rule/{job.rule}", job.start, job.end), control]


def _action(key: str, name: str, instrument: str, start: datetime.datetime, end: datetime.datetime) -> dict[str, Any]:
    return {
        "@id": key,
        "@type": "CreateAction",
        "name": name,
        "instrument": {"@id": instrument},
        "startTime": _text(start),
        "endTime": _text(end),
        "actionStatus": "http://schema.org/CompletedActionStatus",
    }


def _entity(name: str) -> dict[str, Any]:
    if name.endswith("/"):
        return {"@id": name, "@type": "Dataset", "name": name.rstrip("/")}
    return {"@id": name, "@type": "File", "name": name, "encodingFormat": FORMATS[Path(name).suffix]}


def _to(keys: Any) -> list[dict[str, str]]:
    return [{"@id": key} for key in keys]


def _text(moment: datetime.datetime) -> str:
    return moment.isoformat(timespec="seconds")

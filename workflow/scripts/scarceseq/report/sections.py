"""The report: its head, and the sections of all stages that ran."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scarceseq.report import (
    answers,
    archive,
    cells_per_perturbation,
    corpus,
    design,
    evidence,
    fewshot,
    guide,
    network,
    overview,
    own_study,
    perturbation,
    prediction,
    pretrain,
    quality,
    resources,
    screen,
    selection,
)
from scarceseq.report.blocks import Cards, Section
from scarceseq.report.inputs import Inputs
from scarceseq.report.page import Head


def head(settings: Mapping[str, Any], commit: str | None = None, date: str | None = None) -> Head:
    """Head of the report; `settings` is the whole config."""
    first, more = overview.describe(settings)
    return Head(settings["name"], settings.get("seed"), first, settings, commit, date, more)


def build(
    named: Mapping[str, str | list[str]],
    labels: Mapping[str, list[dict[str, str]]],
    settings: dict[str, Any],
    benchmarks: str | Path,
) -> list[Section]:
    """Sections of the page, in the order of the stages; stages that did not run are left out.

    `named` and `labels`: see `Inputs`. `settings` is the whole config, `benchmarks` the folder of Snakemake's benchmark
    files.
    """
    inputs = Inputs(named, labels)
    asked = answers.questions(inputs, settings)
    sections = [
        Section("answers", "Answers", [Cards(asked)]) if asked else None,
        evidence.section(asked),
        archive.section(inputs),
        corpus.section(inputs, settings),
        pretrain.section(inputs),
        guide.section(inputs),
        fewshot.section(inputs, settings),
        quality.section(inputs),
        own_study.section(inputs),
        network.section(inputs),
        screen.section(inputs),
        perturbation.section(inputs, settings),
        selection.section(inputs),
        prediction.section(inputs),
        design.section(inputs),
        cells_per_perturbation.section(inputs),
        resources.section(benchmarks),
    ]
    return [section for section in sections if section is not None]

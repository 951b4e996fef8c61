"""The head of the page: in words, what the configuration asked for."""

from collections.abc import Mapping
from typing import Any

from scarceseq.config.selector_names import selector_jobs
from scarceseq.report import design
from scarceseq.report.wording import count, listed, span


def describe(settings: Mapping[str, Any]) -> tuple[str, str]:
    """What was run, in plain words: the first sentence, on what it rests on, and the others.

    `settings` is the whole config, defaults filled in.
    """
    stages = (_source, _learning, _fewshot, _own_study, _selection, _design)
    parts = [text for stage in stages if (text := stage(settings))]
    return (parts or [""])[0], " ".join(parts[1:])


def _source(settings: Mapping[str, Any]) -> str:
    if "demo" in settings:
        demo = settings["demo"]
        return (
            f"A generated world with known truth (not real data): {demo['studies']:,} studies, {demo['genes']:,} "
            f"genes, {demo['perturbations']:,} perturbations, in the formats of the real sources."
        )
    parts = []
    if "archive" in settings:
        parts.append(f"studies of {settings['archive']['organism']} from a recount3 archive")
    if settings.get("user_studies"):
        parts.append(count(len(settings["user_studies"]), "supplied study", "supplied studies"))
    joined = settings.get("corpus", {}).get("joined")
    if joined:
        parts.append(f"{count(len(joined), 'corpus', 'corpora')} of other runs")
    text = listed(parts) if parts else ""
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _learning(settings: Mapping[str, Any]) -> str:
    if "pretrain" not in settings:
        return ""
    bases = settings["pretrain"]["bases"]
    text = f"{count(len(bases), 'base model was', 'base models were')} pre-trained ({listed(bases)})"
    if "guide" in settings:
        text += f"; guides were derived from scouts of the kind {listed(settings['guide']['schemes'])}"
    return text + "."


def _fewshot(settings: Mapping[str, Any]) -> str:
    if "fewshot" not in settings:
        return ""
    fewshot = settings["fewshot"]
    tasks = "task" if len(fewshot["tasks"]) == 1 else "tasks"
    return (
        f"{count(len(fewshot['methods']), 'few-shot method was', 'few-shot methods were')} compared on the {tasks} "
        f"{listed(fewshot['tasks'])}, up to {count(fewshot['episodes'], 'episode')} in each cell that studies can fill."
    )


def _own_study(settings: Mapping[str, Any]) -> str:
    if "own_study" not in settings:
        return ""
    own = settings["own_study"]
    model = f" and, with a packed model, {count(len(own['methods']), 'method')}" if own["model"] else ""
    return f"The column {own['label']} of a supplied study was predicted by the best classifier of its genes{model}."


def _selection(settings: Mapping[str, Any]) -> str:
    if "selection" not in settings:
        return ""
    selection = settings["selection"]
    selectors = [name for names in selector_jobs(selection["selectors"]).values() for name in names]
    splits = span([settings["screens"][screen]["splits"] for screen in selection["screens"]])
    return (
        f"Ways of choosing perturbations ({listed(selectors)}) were compared on the "
        f"{'screen' if len(selection['screens']) == 1 else 'screens'} {listed(selection['screens'])}, with "
        f"{splits} splits into pool and held-out perturbations."
    )


def _design(settings: Mapping[str, Any]) -> str:
    if "design" not in settings:
        return ""
    return design.asked_for(settings["design"])

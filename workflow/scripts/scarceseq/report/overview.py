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
    stages = {"pretrain": _learning, "fewshot": _fewshot, "own_study": _own_study, "selection": _selection}
    sentences = [_source(settings), *(write(settings) for stage, write in stages.items() if stage in settings)]
    sentences += [design.asked_for(settings["design"])] if "design" in settings else []
    first, *others = [text for text in sentences if text] or [""]
    return first, " ".join(others)


def _source(settings: Mapping[str, Any]) -> str:
    if "demo" in settings:
        demo = settings["demo"]
        return (
            f"A generated world with known truth (not real data): {demo['studies']:,} studies, {demo['genes']:,} "
            f"genes, {demo['perturbations']:,} perturbations, in the formats of the real sources."
        )
    sources = []
    if "archive" in settings:
        sources.append(f"studies of {settings['archive']['organism']} from a recount3 archive")
    if settings.get("user_studies"):
        sources.append(count(len(settings["user_studies"]), "supplied study", "supplied studies"))
    corpora = settings.get("corpus", {}).get("joined")
    if corpora:
        sources.append(f"{count(len(corpora), 'corpus', 'corpora')} of other runs")
    text = listed(sources) if sources else ""
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _learning(settings: Mapping[str, Any]) -> str:
    bases = settings["pretrain"]["bases"]
    text = f"{count(len(bases), 'base model was', 'base models were')} pre-trained ({listed(bases)})"
    if "guide" in settings:
        text += f"; guides were derived from scouts of the kind {listed(settings['guide']['schemes'])}"
    return text + "."


def _fewshot(settings: Mapping[str, Any]) -> str:
    fewshot = settings["fewshot"]
    tasks = "task" if len(fewshot["tasks"]) == 1 else "tasks"
    return (
        f"{count(len(fewshot['methods']), 'few-shot method was', 'few-shot methods were')} compared on the {tasks} "
        f"{listed(fewshot['tasks'])}, up to {count(fewshot['episodes'], 'episode')} in each cell that studies can fill."
    )


def _own_study(settings: Mapping[str, Any]) -> str:
    study = settings["own_study"]
    model = f" and, with a packed model, {count(len(study['methods']), 'method')}" if study["model"] else ""
    return f"The column {study['label']} of a supplied study was predicted by the best classifier of its genes{model}."


def _selection(settings: Mapping[str, Any]) -> str:
    selection = settings["selection"]
    selectors = [name for names in selector_jobs(selection["selectors"]).values() for name in names]
    splits = span([settings["screens"][screen]["splits"] for screen in selection["screens"]])
    return (
        f"Ways of choosing perturbations ({listed(selectors)}) were compared on the "
        f"{'screen' if len(selection['screens']) == 1 else 'screens'} {listed(selection['screens'])}, with "
        f"{splits} splits into pool and held-out perturbations."
    )

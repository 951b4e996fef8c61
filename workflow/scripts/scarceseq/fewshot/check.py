"""Whether the names in the section `fewshot` are defined, and its methods are tuned alike."""

from collections.abc import Sequence
from typing import Any

from scarceseq.checks import one_of
from scarceseq.config import method_names
from scarceseq.config.candidates import candidates
from scarceseq.errors import InputError


def check(config: dict[str, Any]) -> None:
    """Refuse splits and methods that there are not, and what tasks ask of their bases in vain."""
    fewshot = config.get("fewshot")
    if not fewshot:
        return
    guide, bases = config["guide"], config["pretrain"]["bases"].values()
    one_of("fewshot.guide_scheme", fewshot["guide_scheme"], guide["schemes"], "scheme of guide.schemes")
    _check_methods("fewshot.methods", fewshot["methods"], fewshot, guide)
    for name, task in fewshot["tasks"].items():
        _check_methods(f"fewshot.tasks.{name}.methods", task["methods"], fewshot, guide)
    for name, task in fewshot["tasks"].items():
        where, trained = f"fewshot.tasks.{name}", sorted({base["split"] for base in bases})
        one_of(f"{where}.split", task["split"], config["corpus"]["splits"], "split of corpus.splits")
        one_of(f"{where}.split", task["split"], trained, "split of any base in pretrain.bases")
        if task["classes"] and len(task["classes"]) < max([way for way in task["ways"] if way != "all"], default=2):
            raise InputError(f"config key {where}.ways: more than the {len(task['classes'])} classes")
        wanted, key = (task["seeds"], f"tasks.{name}.seeds") if task["seeds"] else (fewshot["seeds"], "seeds")
        fewest = min(1 + len(base["further_seeds"]) for base in bases if base["split"] == task["split"])
        if wanted > fewest:
            raise InputError(f"config key fewshot.{key}: a base of the task {name} has {fewest} seeds only")
    check_candidates("fewshot", fewshot["fitting"])


def check_candidates(section: str, fitting: dict[str, Any]) -> None:
    """Refuse lists of hyper-parameters of which one gives its methods more to choose from than another."""
    counts = {key: len(candidates(fitting, key)) for key in fitting["candidates"]}
    if len(set(counts.values())) > 1:
        now = ", ".join(f"{key} {count}" for key, count in counts.items())
        raise InputError(
            f"config key {section}.fitting.candidates: every method must have as many, so that none is tuned more; "
            f"learning rates count once for each of {section}.fitting.steps. Now: {now}"
        )


def _check_methods(where: str, methods: Sequence[str], fewshot: dict[str, Any], guide: dict[str, Any]) -> None:
    """Refuse methods that there are not, and those whose guide or meta-learning is not made."""
    for method in methods:
        method_names.check(where, method)
        needed = method_names.learned(method)
        key = needed and needed.split("/")[0]
        if key == "meta" and "meta" not in guide:
            raise InputError(f"config key guide.meta: is missing, and {where} has {method}, which needs it")
        if key and key != "meta":
            one_of(f"fewshot.{key}", fewshot[key], guide["schemes"], f"scheme of guide.schemes; {method} needs one")
